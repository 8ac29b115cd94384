import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// `pepper-use`: how many accounts still need a former pepper, so that an operator knows what taking it out costs.
@LoopActor struct PepperUse {
    let host: Host
    let hashing: PasswordHash

    nonisolated var command: Command {
        Command("pepper-use", help: "how many accounts still need a pepper that is not the first of its file") { arguments in
            guard arguments.isEmpty else { return 64 }
            print(try await report())
            return 0
        }
    }

    func report() async throws -> String {
        var (all, former) = (0, 0)
        for tenant in try await host.keys.tenants() {
            let hashes = try await host.db.reader(for: tenant).all(
                "select password_hash from account where active", as: { row in try row.next(as: String.self) })
            all += hashes.count
            former += hashes.count { !hashing.hasCurrentPepper($0) }
        }
        guard former > 0 else { return "All \(all) passwords have the current pepper: former ones may be taken out of the file." }
        return """
            \(former) of \(all) passwords have a former pepper: they are hashed anew as their owners sign in. Who has not when it is \
            taken out of the file chooses another password (forgotten password, or a temporary one by an administrator).
            """
    }
}
