import Access
import Bootstrap
import Cryptography
import HTTP
import Loop
import Postgres
import Primitives

/// Finds out which client sends a request to the token endpoint and its neighbours (RFC 6749 2.3): by its secret in
/// the header or the form, and never in both; a public client says its name and proves itself by what it brings.
@LoopActor struct ClientAuthentication {
    let host: Host
    let secrets: ClientSecrets
    let settings: SettingsReader

    struct Known: Sendable {
        /// As far as its tenant lets it be.
        let client: Client
        let tenant: TenantID
    }

    func callAsFunction(_ request: Request, _ form: Form) async throws -> Known {
        let (id, secret) = try Self.claim(request, form)
        guard let id = ClientID(id), let tenant = try await ClientStore(sql: host.db.systemReader).tenant(of: id),
            let client = try await ClientStore(sql: host.db.reader(for: tenant)).find(id, under: settings, of: tenant),
            client.isActive
        else { throw Self.refusal }
        if let stored = client.secretHash {
            guard let secret, secrets.isRight(secret, for: stored) else { throw Self.refusal }
            if secrets.isLeaving(stored) {
                try await host.db.transaction(for: tenant) { tx in
                    try await ClientStore(sql: tx).keep(secrets.hash(secret), insteadOf: stored, for: id)
                }
            }
        } else if secret != nil {
            throw Self.refusal
        }
        return Known(client: client, tenant: tenant)
    }

    /// One answer for an unknown client and a wrong secret.
    private static let refusal = OAuthError(.invalidClient, "The client is not known or not who it says.")

    private static func claim(_ request: Request, _ form: Form) throws(OAuthError) -> (id: String, secret: String?) {
        let named = try form.one("client_id")
        let posted = try form.one("client_secret")
        guard let header = request.header("authorization") else {
            guard let named else { throw refusal }
            return (named, posted)
        }
        guard posted == nil else { throw OAuthError(.invalidRequest, "Send the secret in one place.") }
        guard header.prefix(6).lowercased() == "basic ", let pair = basic(String(header.dropFirst(6))) else { throw refusal }
        guard named == nil || named == pair.id else { throw refusal }
        return (pair.id, pair.secret)
    }

    /// RFC 6749 2.3.1: both halves are form-encoded before Base64.
    private static func basic(_ text: String) -> (id: String, secret: String)? {
        let letters = text.utf8.filter { $0 != 0x3d && $0 != 0x20 }.map { byte -> UInt8 in
            byte == 0x2b ? 0x2d : byte == 0x2f ? 0x5f : byte
        }
        guard let bytes = Base64URL.decode(letters) else { return nil }
        let halves = bytes.split(separator: 0x3a, maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let id = decoded(halves[0]), let secret = decoded(halves[1]) else { return nil }
        return (id, secret)
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let form = Form([UInt8]("v=".utf8) + bytes), let value = try? form.value("v") else { return nil }
        return value
    }
}
