import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// A new password for somebody who cannot get in, from an administrator who has them at the desk: the way without a
/// gateway that codes could leave by.
@LoopActor struct TemporaryPasswordRoutes {
    let host: Host
    let vaults: Vaults
    let emailIndex: EmailIndex
    let hashing: PasswordHash
    let notices: SecurityNotice

    var table: [Route] {
        [.post("/v1/users/:id/temporary-password", for: .manageUsers, Self.docs, give).afterStepUp()]
    }

    /// Ends all sessions: whoever had the old password is out. A second factor is asked for as before.
    private func give(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Primitives.Account.self)
        guard id != caller.account else { throw AccountError.ownPassword }
        let password = TemporaryPassword(at: host.now())
        let hashing = hashing
        let hash = try await host.blocking.run { try hashing.make(password.text) }
        var response = try await host.write(request, by: caller) { tx in
            let store = AccountStore(sql: tx, vault: try await vaults.vault(of: caller.tenant, tx))
            guard let account = try await store.findForUpdate(id, withAdmins: false)?.account else {
                throw Problem.notFound("user")
            }
            guard account.isActive else { throw AccountError.inactive }
            try await CredentialStore(sql: tx).give(hash, until: password.expiresAt, to: id)
            try await EndSession(host: host).all(of: id, in: caller.tenant, because: .passwordChanged, tx)
            try await AttemptStore(sql: tx).endBrowsers(of: id, at: host.now())
            // Who was kept out by somebody's guesses is let in again.
            try await LoginFailureStore(sql: tx).clear(emailIndex.failureKeys(account.email, from: "everywhere").both)
            try await notices.tell(account.email, of: .password, tx)
            try tx.audit("give_password", "account", id.description)
            if let patient = account.patient { tx.concerns(patient) }
            return .json(201, GivenView(password: password))
        }
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }

    private struct GivenView: JSONWritable {
        let password: TemporaryPassword

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("temporaryPassword", password.text)
                $0.field("expiresAt", password.expiresAt)
            }
        }
    }

    private static let docs = Route.Docs(
        "Give somebody a new password, for choosing another at the next sign-in; all their sessions end",
        answers: [
            (
                201,
                .object([
                    .required("temporaryPassword", .text(max: 40), "Shown here only"), .required("expiresAt", .instant),
                ])
            )
        ], problems: ["own_password", "account_inactive"])
}
