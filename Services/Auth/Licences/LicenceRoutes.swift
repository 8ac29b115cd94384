import Access
import Bootstrap
import Contracts
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Licences over HTTP: a doctor hands one in, an administrator looks at it.
@LoopActor struct LicenceRoutes {
    let host: Host
    let vaults: Vaults

    var table: [Route] {
        [
            .get("/v1/auth/licence", for: .signedIn, Self.showDocs, showOwn),
            .put("/v1/auth/licence", for: .signedIn, Self.draftDocs, draft),
            .post("/v1/auth/licence/documents", for: .signedIn, Self.uploadDocs, upload),
            .delete("/v1/auth/licence/documents/:document", for: .signedIn, Self.removeDocs, remove),
            .post("/v1/auth/licence/submission", for: .signedIn, Self.submitDocs, submit),
            .get("/v1/auth/licences", for: .manageUsers, Self.listDocs, listSubmitted),
            .get("/v1/users/:id/licence", for: .manageUsers, Self.showDocs, show),
            .get("/v1/users/:id/licence/documents/:document", for: .manageUsers, Self.contentDocs, content),
            .post("/v1/users/:id/licence/decision", for: .manageUsers, Self.decideDocs, decide).afterStepUp(),
        ]
    }

    // MARK: the doctor

    private func showOwn(_ request: Request, by caller: Principal) async throws -> Response {
        try await shown(caller.account, caller, request)
    }

    private func draft(_ request: Request, by caller: Principal) async throws -> Response {
        guard caller.has(.doctor) else { throw LicenceError.notADoctor }
        let number: String = try request.body.required("number")
        let authority: String = try request.body.required("authority")
        let until: LocalDate = try request.body.required("validUntil")
        return try await host.write(request, by: caller) { tx in
            let store = try await store(for: caller, tx)
            var licence = try await store.findForUpdate(caller.account)
                ?? Licence.draft(caller.account, number: number, authority: authority, validUntil: until)
            let before = licence.audited
            licence.rewrite(number: number, authority: authority, validUntil: until, at: host.now())
            _ = try await store.save(licence)
            try tx.audit("draft", "licence", caller.account.description, before: before, after: licence.audited)
            return .json(200, LicenceView(licence: licence, documents: try await store.documents(of: caller.account)))
        }
    }

    private func upload(_ request: Request, by caller: Principal) async throws -> Response {
        guard caller.has(.doctor) else { throw LicenceError.notADoctor }
        let kind: LicenceDocument.Kind = try request.body.required("kind")
        guard let bytes = Base64URL.decode(try request.body.required("content", as: String.self)) else {
            throw Problem.invalid("content", "not_base64url", "Send the file in base64url without padding.")
        }
        guard bytes.count <= LicenceDocument.longest else { throw LicenceError.tooLarge }
        guard let type = LicenceDocument.mediaType(of: bytes) else { throw LicenceError.wrongMediaType }
        let document = LicenceDocument(
            id: ID(), kind: kind, mediaType: type, size: bytes.count, uploadedAt: host.now())
        return try await host.write(request, by: caller) { tx in
            let store = try await store(for: caller, tx)
            let licence = try await requireOpen(store, caller)
            let shown = try await store.documents(of: caller.account).filter { licence?.counts($0) ?? true }
            guard shown.count < LicenceDocument.limitPerAccount else {
                throw LicenceError.tooManyDocuments
            }
            try await store.insert(document, bytes, of: caller.account)
            try tx.audit("upload", "licence_document", document.id.description)
            return .json(201, DocumentView(document: document))
        }
    }

    private func remove(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("document", of: LicenceDocument.self)
        return try await host.write(request, by: caller) { tx in
            let store = try await store(for: caller, tx)
            let licence = try await requireOpen(store, caller)
            guard let shown = try await store.documents(of: caller.account).first(where: { $0.id == id }),
                licence?.counts(shown) ?? true, try await store.remove(id, of: caller.account)
            else { throw Problem.notFound("document") }
            try tx.audit("remove", "licence_document", id.description)
            return .noContent
        }
    }

    /// What was handed in stays as it was looked at.
    private func requireOpen(_ store: LicenceStore, _ caller: Principal) async throws -> Licence? {
        guard let licence = try await store.findForUpdate(caller.account) else { return nil }
        guard licence.status == .draft || licence.status == .rejected else { throw LicenceError.notOpen }
        return licence
    }

    private func submit(_ request: Request, by caller: Principal) async throws -> Response {
        try await host.write(request, by: caller) { tx in
            let store = try await store(for: caller, tx)
            guard var licence = try await store.findForUpdate(caller.account) else { throw Problem.notFound("licence") }
            let documents = try await store.documents(of: caller.account)
            try licence.submit(with: Set(documents.filter(licence.counts).map(\.kind)), at: host.now())
            _ = try await store.save(licence)
            try tx.audit("submit", "licence", caller.account.description, after: licence.audited)
            return .json(200, LicenceView(licence: licence, documents: documents))
        }
    }

    // MARK: the administrator

    private func listSubmitted(_ request: Request, by caller: Principal) async throws -> Response {
        let store = try await store(for: caller, host.db.reader(for: caller.tenant))
        let waiting = try await store.submitted(limit: 100)
        return .page(waiting.map { LicenceView(licence: $0, documents: []) }, next: nil, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        try await shown(request.id("id", of: Primitives.Account.self), caller, request)
    }

    private func shown(_ account: AccountID, _ caller: Principal, _ request: Request) async throws -> Response {
        let store = try await store(for: caller, host.db.reader(for: caller.tenant))
        guard let licence = try await store.find(account) else { throw Problem.notFound("licence") }
        return .json(200, LicenceView(licence: licence, documents: try await store.documents(of: account)))
    }

    /// Looking at somebody's identity card leaves a trace.
    private func content(_ request: Request, by caller: Principal) async throws -> Response {
        let account = try request.id("id", of: Primitives.Account.self)
        let id = try request.id("document", of: LicenceDocument.self)
        return try await host.write(request, by: caller) { tx in
            guard let found = try await store(for: caller, tx).content(id, of: account) else {
                throw Problem.notFound("document")
            }
            try tx.audit("read", "licence_document", id.description)
            return .json(200, ContentView(mediaType: found.mediaType, bytes: found.bytes))
        }
    }

    private func decide(_ request: Request, by caller: Principal) async throws -> Response {
        let account = try request.id("id", of: Primitives.Account.self)
        let isVerified: Bool = try request.body.required("verified")
        let reason: String? = try request.body.optional("reason")
        let withdraws: Bool = try request.body.optional("withdraws") ?? false
        if !isVerified && reason == nil { throw Problem.invalid("reason", "required", "Say what must be mended.") }
        return try await host.write(request, by: caller) { tx in
            let store = try await store(for: caller, tx)
            guard var licence = try await store.findForUpdate(account) else { throw Problem.notFound("licence") }
            let before = licence.audited
            let now = host.now()
            if isVerified {
                let verified = try licence.verify(by: caller.account, today: caller.today(at: now), at: now)
                try tx.announce(verified, revision: try await store.save(licence))
            } else {
                let withdrawn = try licence.reject(
                    by: caller.account, because: reason ?? "", withdrawing: withdraws, at: now)
                let version = try await store.save(licence)
                if let withdrawn { try tx.announce(withdrawn, revision: version) }
            }
            try tx.audit(isVerified ? "verify" : "reject", "licence", account.description, before: before, after: licence.audited)
            return .json(200, LicenceView(licence: licence, documents: try await store.documents(of: account)))
        }
    }

    private func store(for caller: Principal, _ sql: any SQLSession) async throws -> LicenceStore {
        LicenceStore(sql: sql, vault: try await vaults.vault(of: caller.tenant, sql))
    }
}

extension LicenceError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notADoctor: .refused("not_a_doctor", "Only a doctor has a licence to hand in.")
        case .notOpen: .conflict("licence_submitted", "The licence was handed in; wait for the decision, or change its particulars.")
        case .notSubmitted: .conflict("licence_not_submitted", "There is nothing to decide: the licence was not handed in.")
        case .documentsMissing: .refused("documents_missing", "Upload the licence and a document of identity first.")
        case .papersNotSeen:
            .refused("papers_not_seen", "Say that you have seen the licence and a document of identity, or leave the licence out: the doctor hands it in.")
        case .ownLicence: .refused("own_licence", "Somebody else must look at your licence.")
        case .expired: .refused("licence_expired", "The licence is no longer valid.")
        case .tooManyDocuments: .refused("too_many_documents", "Remove a document first.")
        case .wrongMediaType: .invalid("content", "wrong_media_type", "Send a PDF, JPEG or PNG.")
        case .tooLarge: .invalid("content", "too_large", "A document has at most 512 KB.")
        }
    }
}
