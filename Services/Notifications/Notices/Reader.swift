import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Who reads notices, as the notices name their audiences.
struct Reader: Sendable {
    let account: AccountID
    let roles: [String]
    /// Their own record, and those of whom they act for.
    let patients: [PatientID]
    let provider: ProviderID?

    func hears(_ notice: Notice) -> Bool {
        switch notice.audience {
        case .role(let role): roles.contains(role)
        case .patient(let patient): patients.contains(patient)
        case .account(let account): self.account == account
        case .provider(let provider): self.provider == provider
        }
    }

    /// Which practitioner a doctor is, scheduling is asked once. While it cannot be asked the other notices are shown.
    @LoopActor static func of(_ caller: Principal, on host: Host) async throws -> Reader {
        let provider = caller.roles.contains(.doctor) ? try await Self.provider(of: caller, on: host) : nil
        return Reader(account: caller.account, roles: caller.roleNames, patients: caller.ownPatients, provider: provider)
    }

    @LoopActor private static func provider(of caller: Principal, on host: Host) async throws -> ProviderID? {
        let known = try await ProviderCardStore(sql: host.db.reader(for: caller.tenant)).provider(of: caller.account)
        if let known { return known }
        let path = "/internal/cards/accounts/\(caller.account)/provider"
        guard let card = try? await host.cards.ask("scheduling", path, as: caller) else { return nil }
        let provider: ProviderID = try card.required("providerId")
        try await host.db.transaction(for: caller.tenant) { tx in
            try await ProviderCardStore(sql: tx).remember(provider, of: caller.account)
        }
        return provider
    }
}

/// Every statement that touches `provider_card`.
@LoopActor struct ProviderCardStore {
    let sql: any SQLSession

    func provider(of account: AccountID) async throws -> ProviderID? {
        try await sql.first("select provider_id from provider_card where account_id = \(account)") { try $0.next() }
    }

    /// An account is the same practitioner for ever.
    func remember(_ provider: ProviderID, of account: AccountID) async throws {
        try await sql.run(
            """
            insert into provider_card (account_id, provider_id) values (\(account), \(provider)) on conflict do nothing
            """)
    }
}

extension Reaction {
    static let rememberProvider = Reaction(to: ProviderListed.self, named: "notifications.remember-provider") { listed, _, tx in
        try await ProviderCardStore(sql: tx).remember(listed.providerID, of: listed.accountID)
    }
}
