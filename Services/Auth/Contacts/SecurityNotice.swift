import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives

/// Tells the owner of an account that what opens it has changed, so that whoever took it over cannot do so in silence.
///
/// It rests beside the codes until the gateway has taken it: in the transaction of the change, so there is neither one
/// without the other. Where the operator has no gateway, nobody is told.
@LoopActor struct SecurityNotice {
    /// In the words that the gateway is given.
    enum Change: String, Sendable, JSONReadable { case password, factor, passkey, contact }

    let host: Host
    let vaults: Vaults
    let keys: RotatingKeys
    let isOffered: Bool

    /// `address`: the one that was good before the change.
    func tell(_ address: String, of change: Change, _ tx: Transaction) async throws {
        guard isOffered, Contact(address) != nil else { return }
        let notice = ContactRequest(id: ID(), purpose: .notice, content: .init(contact: address, changed: change))
        try await ContactRequestStore(sql: tx, keys: keys).insert(notice, at: host.now())
    }

    func tell(_ account: AccountID, in tenant: TenantID, of change: Change, _ tx: Transaction) async throws {
        guard isOffered else { return }
        let store = AccountStore(sql: tx, vault: try await vaults.vault(of: tenant, tx))
        guard let owner = try await store.find(account) else { return }
        try await tell(owner.email, of: change, tx)
    }
}
