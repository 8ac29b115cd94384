import Access
import Bootstrap
import JSON
import Loop

/// `reporting audit-keys`: the public keys that sign and signed checkpoints, as the JWKS that `AUDIT_PUBLIC_KEYS_FILE`
/// names. Run it before the signing key is changed, and keep what it says for whoever verifies.
struct AuditKeys: Sendable {
    let keys: KeySet

    var command: Command {
        Command("audit-keys", help: "print the public keys of checkpoints as JWKS, for AUDIT_PUBLIC_KEYS_FILE") { arguments in
            guard arguments.isEmpty else { return 64 }
            print(String(decoding: keys.jsonBytes, as: UTF8.self))
            return 0
        }
    }
}
