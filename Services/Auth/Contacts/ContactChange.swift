import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Signing in with another address, by a code that only its owner can read.
extension ContactRoutes {
    var changing: [Route] {
        [
            .post("/v1/auth/contact", for: .signedIn, Self.changeDocs, askForChange).afterStepUp(),
            .post("/v1/auth/contact/confirmation", for: .signedIn, Self.confirmChangeDocs, confirmChange),
        ]
    }

    private func askForChange(_ request: Request, by caller: Principal) async throws -> Response {
        let contact = try contact(in: request)
        try await count(contact, by: caller.account, request)
        return try await ask(.change, ContactRequest.Content(contact: contact.text, account: caller.account))
    }

    /// Nothing ends: who reads the code is signed in. The old address is told.
    private func confirmChange(_ request: Request, by caller: Principal) async throws -> Response {
        let asked = try await take(.change, request)
        guard asked.content.account == caller.account, let contact = Contact(asked.content.contact) else {
            throw ContactError.codeWrong
        }
        var response = try await host.write(request, by: caller) { tx in
            guard try await ContactRequestStore(sql: tx, keys: keys).use(asked.id, at: host.now()) else { throw ContactError.codeWrong }
            let store = AccountStore(sql: tx, vault: try await signIn.vaults.vault(of: caller.tenant, tx))
            guard let found = try await store.findForUpdate(caller.account, withAdmins: false), found.account.isActive else {
                throw TokenRefusal.revoked
            }
            var account = found.account
            let outcome = try account.apply(Account.Change(contact: contact), isOnlyAdmin: found.isOnlyAdmin, at: host.now())
            guard try await store.update(account) else { throw Problem.staleVersion }
            try await store.move(account.id, to: signIn.emailIndex(contact))
            try await notices.tell(found.account.email, of: .contact, tx)
            try tx.audit(
                "update", "account", account.id.description, before: found.account.audited, after: account.audited(after: outcome))
            if let patient = account.patient { tx.concerns(patient) }
            return .noContent
        }
        // Strangers' guesses at the new address do not keep this browser out either.
        response.headers.append(signIn.devices.header(for: contact.text))
        return response
    }

    private static let changeDocs = Route.Docs(
        "Ask to sign in with another address: a code goes to it. The answer is the same whoever has it",
        body: .object([.required("contact", .text(max: 254), "E-mail address, or phone number with +country")]),
        answers: [(202, AskedView.schema)], problems: ["invalid_contact", "too_many_attempts", "codes_not_offered"])

    private static let confirmChangeDocs = Route.Docs(
        "Sign in with the new address from now on; the old one is told",
        body: .object(answer), answers: [(204, nil)], problems: ["code_wrong", "email_taken", "too_many_attempts"])
}
