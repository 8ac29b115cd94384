import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Signing up as a patient and choosing a new password, by a code that only the owner of an address can read.
@LoopActor struct ContactRoutes {
    let host: Host
    let signIn: SignIn
    let passwords: PasswordPolicy
    let keys: RotatingKeys
    let isOffered: Bool
    let notices: SecurityNotice

    var table: [Route] {
        [
            .anyone("POST", "/v1/auth/sign-up", Self.signUpDocs, signUp),
            .anyone("POST", "/v1/auth/sign-up/confirmation", Self.confirmDocs, confirm),
            .anyone("POST", "/v1/auth/password-reset", Self.resetDocs, askForReset),
            .anyone("POST", "/v1/auth/password-reset/confirmation", Self.chooseDocs, choose),
        ] + changing
    }

    // MARK: asking

    private func signUp(_ request: Request) async throws -> Response {
        let contact = try contact(in: request)
        let tenant: TenantID = try request.body.required("tenantId")
        let password: String = try request.body.required("password")
        try passwords.check(password, address: contact.text, hasSecondFactor: false)
        try await count(contact, request)
        let hashing = signIn.hashing
        let hash = try await host.blocking.run { try hashing.make(password) }
        let content = ContactRequest.Content(
            contact: contact.text, tenant: tenant, name: try request.body.required("name"), passwordHash: hash)
        guard try await LocationStore(sql: host.db.reader(for: tenant)).first() != nil else { throw ContactError.clinicUnknown }
        return try await ask(.signUp, content)
    }

    private func askForReset(_ request: Request) async throws -> Response {
        let contact = try contact(in: request)
        try await count(contact, request)
        return try await ask(.reset, ContactRequest.Content(contact: contact.text))
    }

    func ask(_ purpose: ContactRequest.Purpose, _ content: ContactRequest.Content) async throws -> Response {
        let asked = ContactRequest(id: ID(), purpose: purpose, content: content)
        try await host.db.systemTransaction { tx in
            try await ContactRequestStore(sql: tx, keys: keys).insert(asked, at: host.now())
        }
        return .json(202, AskedView(id: asked.id))
    }

    func contact(in request: Request) throws -> Contact {
        guard isOffered else { throw ContactError.notOffered }
        guard let contact = Contact(try request.body.required("contact")) else { throw ContactError.contactInvalid }
        return contact
    }

    /// An address gets few messages that one client asked for, and not many that all did; and one client asks for few.
    /// What strangers ask for leaves the owner's own browser free to ask. Somebody who is signed in is counted by their
    /// account: a whole ward has one address on the network.
    func count(_ contact: Contact, by account: AccountID? = nil, _ request: Request) async throws {
        let origin = signIn.devices.origin(of: request, for: contact.text)
        let asker = account.map { "account \($0)" } ?? origin.name
        let keys = signIn.emailIndex.failureKeys("code|\(contact.text)", from: "code|\(asker)")
        let everywhere = signIn.emailIndex.failureKeys("code|\(contact.text)", from: "everywhere").both
        let perPair = LoginThrottle(limit: 5, slowsFrom: .max)
        let perClient = LoginThrottle(limit: 30, slowsFrom: .max)
        let perContact = LoginThrottle(limit: 20, slowsFrom: .max)
        try await host.db.systemTransaction { tx in
            let now = host.now()
            let store = LoginFailureStore(sql: tx)
            let pair = try await store.claim(keys.both, at: now)
            let client = try await store.claim(keys.client, at: now)
            let all = try await store.claim(everywhere, at: now)
            let waits = [
                perPair.wait(after: pair, at: now), perClient.wait(after: client, at: now),
                origin.isKnown ? nil : perContact.wait(after: all, at: now),
            ]
            if let wait = waits.compactMap({ $0 }).max() { throw SignInError.tooManyAttempts(wait: wait) }
            try await store.save(perPair.counting(pair, at: now), under: keys.both)
            try await store.save(perClient.counting(client, at: now), under: keys.client)
            if !origin.isKnown { try await store.save(perContact.counting(all, at: now), under: everywhere) }
        }
    }

    // MARK: answering

    /// However many codes were asked for: a hundred wrong ones in a row for one address, each after a longer wait, and
    /// then only a browser that we know goes on until a day has passed (NIST SP 800-63B 3.2.2).
    static let guesses = LoginThrottle(limit: 100, slowsFrom: 10, window: LoginThrottle.longestWindow)

    /// A guess is counted and kept before it is compared.
    func take(_ purpose: ContactRequest.Purpose, _ request: Request) async throws -> ContactRequest {
        let id: ID<ContactRequest> = try request.body.required("id")
        let code: String = try request.body.required("code")
        let found = try await host.db.systemTransaction { tx -> (asked: ContactRequest, code: String, tally: Bytes)? in
            guard let (asked, code) = try await ContactRequestStore(sql: tx, keys: keys).guess(id, purpose, at: host.now()) else {
                return nil
            }
            return (asked, code, try await countGuess(at: asked, request, tx))
        }
        guard let found, constantTimeEqual([UInt8](code.utf8), [UInt8](found.code.utf8)) else {
            throw ContactError.codeWrong
        }
        try await host.db.systemTransaction { tx in try await LoginFailureStore(sql: tx).clear(found.tally) }
        return found.asked
    }

    /// What it was counted under. Signing up and resetting apart: nobody's guesses at the one close the other.
    private func countGuess(at asked: ContactRequest, _ request: Request, _ tx: Transaction) async throws -> Bytes {
        let contact = asked.content.contact
        let origin = signIn.devices.origin(of: request, for: contact)
        let tally = signIn.emailIndex.failureKeys(
            "guess|\(asked.purpose.rawValue)|\(contact)", from: origin.isKnown ? origin.name : "everywhere").both
        let store = LoginFailureStore(sql: tx)
        let now = host.now()
        let made = try await store.claim(tally, at: now)
        if let wait = Self.guesses.wait(after: made, at: now) { throw SignInError.tooManyAttempts(wait: wait) }
        try await store.save(Self.guesses.counting(made, at: now), under: tally)
        return tally
    }

    /// A patient's account with a record that is theirs to open: `POST /v1/patients/self`.
    private func confirm(_ request: Request) async throws -> Response {
        let asked = try await take(.signUp, request)
        guard let tenant = asked.content.tenant, let name = asked.content.name, let hash = asked.content.passwordHash,
            let contact = Contact(asked.content.contact)
        else { throw ContactError.codeWrong }
        let cause = Cause(tenant: tenant, actor: nil, role: "system", traceparent: request.traceparent)
        let pair = try await host.transaction(for: tenant, as: cause) { tx in
            guard try await ContactRequestStore(sql: tx, keys: keys).use(asked.id, at: host.now()) else { throw ContactError.codeWrong }
            guard let location = try await LocationStore(sql: tx).first() else { throw ContactError.clinicUnknown }
            let account = try Account.create(
                name: name, address: contact.text, roles: [.patient], location: location, patient: PatientID(),
                at: host.now())
            try await CreateAccount(vaults: signIn.vaults, emailIndex: signIn.emailIndex)(
                account, index: signIn.emailIndex(contact), passwordHash: hash, in: tenant, tx)
            guard let credential = try await CredentialStore(sql: tx).readHolding(account.id) else { throw ContactError.codeWrong }
            return try await signIn.open(credential, .single, in: tenant, tx)
        }
        var response = Response.json(201, pair)
        response.headers.append(signIn.devices.header(for: contact.text))
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }

    /// Ends all sessions: whoever had the old password is out. A second factor is asked for as before.
    private func choose(_ request: Request) async throws -> Response {
        let asked = try await take(.reset, request)
        let password: String = try request.body.required("newPassword")
        guard let contact = Contact(asked.content.contact) else { throw ContactError.codeWrong }
        let owner = try await host.db.systemTransaction { tx in
            try await CredentialStore(sql: tx).find(signIn.emailIndex(contact))
        }
        guard let owner else { throw ContactError.codeWrong }
        let reader = host.db.reader(for: owner.tenant)
        let standing = try await signIn.factor.standing(of: owner.account, in: owner.tenant, reader)
        do { try passwords.check(password, address: contact.text, hasSecondFactor: standing.hasSecondFactor) } catch {
            throw Problem.invalid([error.fieldError("newPassword")])
        }
        let hashing = signIn.hashing
        let hash = try await host.blocking.run { try hashing.make(password) }
        let cause = Cause(tenant: owner.tenant, actor: owner.account, role: "system", traceparent: request.traceparent)
        try await host.transaction(for: owner.tenant, as: cause) { tx in
            guard try await ContactRequestStore(sql: tx, keys: keys).use(asked.id, at: host.now()) else { throw ContactError.codeWrong }
            let credentials = CredentialStore(sql: tx)
            guard let known = try await credentials.readHolding(owner.account), known.isActive,
                try await credentials.save(
                    hash, standsAlone: PasswordPolicy.standsAlone(password), of: owner.account, insteadOf: known.passwordHash)
            else { throw ContactError.codeWrong }
            try await EndSession(host: host).all(of: owner.account, in: owner.tenant, because: .passwordChanged, tx)
            try await AttemptStore(sql: tx).endBrowsers(of: owner.account, at: host.now())
            // Who was kept out by somebody's guesses is let in again.
            try await LoginFailureStore(sql: tx).clear(signIn.emailIndex.failureKeys(contact.text, from: "everywhere").both)
            try await notices.tell(contact.text, of: .password, tx)
            try tx.audit("reset_password", "account", owner.account.description)
        }
        return .noContent
    }
}

extension ContactError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .contactInvalid: .invalid("contact", "invalid_contact", "Use an e-mail address, or a phone number that begins with + and the country.")
        case .codeWrong: .refused("code_wrong", "The code is not right, was used, or is too old. Ask for another.")
        case .notOffered: .refused("codes_not_offered", "This clinic does not send codes. Ask at the desk.")
        case .clinicUnknown: .refused("clinic_unknown", "There is no such clinic.")
        }
    }
}

struct AskedView: JSONWritable {
    let id: ID<ContactRequest>

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("expiresIn", ContactRequest.life)
        }
    }

    static let schema = Schema.object([.required("id", .id), .required("expiresIn", .integer(0...600), "Seconds")])
}

extension ContactRoutes {
    static let answer: [Schema.Field] = [.required("id", .id, "Of the asking"), .required("code", .text(min: 6, max: 6))]

    private static let signUpDocs = Route.Docs(
        "Ask to sign up as a patient: a code goes to the address. The answer is the same whoever has an account",
        body: .object([
            .required("tenantId", .id), .required("contact", .text(max: 254), "E-mail address, or phone number with +country"),
            .required("name", .text(max: 200)), .required("password", .text(min: 8, max: 128), "At least 15 characters"),
        ]),
        answers: [(202, AskedView.schema)],
        problems: ["invalid_contact", "too_many_attempts", "codes_not_offered", "clinic_unknown"])

    private static let confirmDocs = Route.Docs(
        "Sign up with the code, and be signed in; then open the own record with POST /v1/patients/self",
        body: .object(answer),
        answers: [(201, .object(TokenPair.fields + [.required("user", SignedInUser.schema)]))],
        problems: ["code_wrong", "email_taken", "too_many_attempts"])

    private static let resetDocs = Route.Docs(
        "Ask for a code to choose a new password. The answer is the same whether there is an account or not",
        body: .object([.required("contact", .text(max: 254))]),
        answers: [(202, AskedView.schema)], problems: ["invalid_contact", "too_many_attempts", "codes_not_offered"])

    private static let chooseDocs = Route.Docs(
        "Choose a new password with the code; all sessions end",
        body: .object(answer + [.required("newPassword", .text(min: 8, max: 128))]),
        answers: [(204, nil)], problems: ["code_wrong", "too_many_attempts"])
}
