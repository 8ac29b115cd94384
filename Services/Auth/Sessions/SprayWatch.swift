import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Notices that one password is tried on many accounts, from wherever: no account of them has many failures, the clinic
/// has. It says so in the clinic's audit trail, to its administrators and in `/metrics`, and refuses nobody, or an attacker
/// would close a clinic.
@LoopActor final class SprayWatch {
    private let host: Host
    private let emailIndex: EmailIndex
    private let threshold: Int
    private var noticed = 0

    private nonisolated static let quarter = LoginThrottle(limit: .max, slowsFrom: .max)
    /// An attack that lasts is in the trail each quarter of an hour, and people are told of it each hour.
    private nonisolated static let hour = LoginThrottle(limit: .max, slowsFrom: .max, window: 3_600)

    init(host: Host, emailIndex: EmailIndex, threshold: Int) {
        self.host = host
        self.emailIndex = emailIndex
        self.threshold = threshold
        show()
    }

    /// A wrong password for `typed`. The same statements whether it is somebody's address or nobody's, and how often
    /// it failed before.
    func note(_ typed: String, in tenant: TenantID?) async throws {
        let now = host.now()
        let address = emailIndex.failureKeys("sprayed|\(typed)", from: "everywhere").both
        let clinic = emailIndex.failureKeys("sprayed accounts", from: tenant?.description ?? "nobody").both
        let isReached = try await host.db.systemTransaction { tx in
            let store = LoginFailureStore(sql: tx)
            let mine = Self.quarter.counting(try await store.claim(address, at: now), at: now)
            let before = try await store.claim(clinic, at: now)
            // Only its first failure in a quarter of an hour makes an account one more.
            let all = mine.failures == 1 ? Self.quarter.counting(before, at: now) : before
            try await store.save(mine, under: address)
            try await store.save(all, under: clinic)
            return mine.failures == 1 && all.failures == threshold
        }
        guard isReached else { return }
        noticed += 1
        show()
        host.log.write(.warning, "a password is tried on many accounts", ("accounts", "\(threshold)"))
        guard let tenant else { return }
        try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            let after = JSONObject([("accounts", .int(Int64(threshold))), ("withinSeconds", .int(Self.quarter.window))])
            try tx.audit("notice_password_spraying", "tenant", tenant.description, after: after)
            let store = LoginFailureStore(sql: tx)
            let key = emailIndex.failureKeys("spraying said", from: tenant.description).both
            let said = Self.hour.counting(try await store.claim(key, at: now), at: now)
            try await store.save(said, under: key)
            if said.failures == 1 { try tx.announce(PasswordSprayNoticed(tenantID: tenant, accounts: threshold), revision: 0) }
        }
    }

    private func show() {
        host.gauges["polyclinic_password_sprays"] = .init(
            help: "How often this process saw wrong passwords for many accounts of one clinic, or of none, in a quarter hour.",
            value: Double(noticed))
    }
}
