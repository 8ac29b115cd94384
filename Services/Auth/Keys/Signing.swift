import Access
import Bootstrap
import Cryptography
import Loop

/// The key that tokens are signed with now. The file is looked at again every ten seconds, so that a rotation needs
/// no restart; a key that is not among the published ones is not used, because nobody could verify what it signs.
@LoopActor final class Signing {
    private(set) var mint: TokenMint
    private let path: String
    private let host: Host

    nonisolated init(_ config: AuthConfig, _ host: Host) {
        self.host = host
        path = config.signingKeyFile
        mint = TokenMint(key: config.signingKey, publicIssuer: config.host.publicURL)
    }

    var worker: Worker {
        Worker("signing key") {
            while true {
                try await EventLoop.sleep(for: .seconds(10))
                self.reload()
            }
        }
    }

    func reload() {
        guard let pem = KeyFile.read(path), let key = try? SigningKey(pem: pem), key.verifying.id != mint.keyID else { return }
        if host.verifier.keys[key.verifying.id] == nil { host.publishedKeys.reload() }
        guard host.verifier.keys[key.verifying.id] != nil else {
            host.log.write(.error, "the signing key is not published", ("key", key.verifying.id))
            return
        }
        mint = TokenMint(key: key, publicIssuer: host.config.publicURL)
        host.log.write(.info, "signing with another key", ("key", key.verifying.id))
    }
}
