import Access
import Bootstrap
import Cryptography

/// What an operator may change without a build.
struct ReportingConfig: ServiceConfig {
    let host: HostConfig
    /// Signs the checkpoints of the audit chains. A key of its own: who signs tokens must not sign what happened.
    let checkpointKey: SigningKey?
    /// Where checkpoints go: a folder that is shipped to another system. Without folder and key none are signed.
    let checkpointFolder: String?
    let checkpointTick: Duration
    /// Every key that ever signed a checkpoint, so that those of before a change of keys still count.
    let checkpointKeys: KeySet
    let verificationTick: Duration

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "reporting")
        let key = Self.key(&read)
        checkpointKey = key
        checkpointKeys = Self.publicKeys(&read, with: key)
        checkpointFolder = read.optionalText("AUDIT_CHECKPOINT_FOLDER")
        checkpointTick = read.seconds("AUDIT_CHECKPOINT_SECONDS", default: 60, in: 1...3_600)
        verificationTick = read.seconds("AUDIT_VERIFY_SECONDS", default: 86_400, in: 1...604_800)
        if (checkpointKey == nil) != (checkpointFolder == nil), !read.isDescribing {
            read.refuse("AUDIT_CHECKPOINT_FOLDER", "goes together with AUDIT_SIGNING_KEY_FILE")
        }
        try read.finish()
    }

    private static func publicKeys(_ read: inout EnvironmentReader, with own: SigningKey?) -> KeySet {
        let mine = own.map { [$0.verifying] } ?? []
        guard let text = read.optionalFileText("AUDIT_PUBLIC_KEYS_FILE"), !read.isDescribing else { return KeySet(mine) }
        guard let published = try? KeySet(jwks: [UInt8](text.utf8)) else {
            read.refuse("AUDIT_PUBLIC_KEYS_FILE", "must name a JWKS document of ES256 keys")
            return KeySet(mine)
        }
        return KeySet(published.all + mine)
    }

    private static func key(_ read: inout EnvironmentReader) -> SigningKey? {
        guard let pem = read.optionalSecret("AUDIT_SIGNING_KEY_FILE"), !read.isDescribing else { return nil }
        guard let key = try? SigningKey(pem: [UInt8](pem.text.utf8)) else {
            read.refuse("AUDIT_SIGNING_KEY_FILE", "must name an unencrypted PEM private key on P-256")
            return nil
        }
        return key
    }
}
