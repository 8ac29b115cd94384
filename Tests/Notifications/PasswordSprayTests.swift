import Bootstrap
import Contracts
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Notifications

@Suite struct PasswordSprayTests {
    @Test func `Administrators have a notice of a password that is tried on many accounts, and nobody else has`() async throws {
        try await onLoop {
            try await TestHost.with(NotificationsConfig.init(environment:), NotificationsService.describe) { host in
                try await host.react(to: PasswordSprayNoticed(tenantID: host.tenant, accounts: 30))
                for (role, kinds) in [("admin", ["password_spray_noticed"]), ("nurse", []), ("auditor", [])] {
                    let found = try await NoticeStore(sql: host.host.db.reader(for: host.tenant)).list(
                        of: Reader(account: AccountID(), roles: [role], patients: [], provider: nil), before: nil, limit: 10)
                    #expect(found.map(\.kind) == kinds)
                }
            }
        }
    }
}
