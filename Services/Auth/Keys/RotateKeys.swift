import Access
import Bootstrap
import Cryptography
import Glibc
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The command that moves signing keys on, one step at a time, while everything runs: services read the published
/// keys again by themselves, and auth its signing key. Each step is in every tenant's audit trail.
@LoopActor struct RotateKeys {
    let host: Host
    let config: AuthConfig

    nonisolated var command: Command {
        Command(
            "rotate-keys",
            help: "move the signing keys on: --step publish|activate|retire [--notice SECONDS], see README"
        ) { arguments in try await self.run(arguments) }
    }

    func run(_ arguments: [String]) async throws -> Int32 {
        var options = Options(arguments, allowed: ["step", "notice"])
        let step = options.required("step")
        let notice = options.optional("notice").map { Int64($0) ?? -1 } ?? KeyRotation.usualNotice
        var mistakes = options.mistakes
        if !["publish", "activate", "retire"].contains(step) { mistakes.append("--step is publish, activate or retire.") }
        if notice < 0 { mistakes.append("--notice is a number of seconds.") }
        complain("rotate-keys", mistakes)
        guard mistakes.isEmpty else { return 64 }
        do {
            let touched = try take(step, notice: notice, at: host.now())
            for id in touched { print("\(step) \(id)") }
            try await record(step, touched)
            return 0
        } catch let refusal as KeyRotation.Refusal {
            complain("rotate-keys", [Self.say(refusal)])
            return 1
        } catch let error as KeyFileError {
            complain("rotate-keys", ["\(error)"])
            return 1
        }
    }

    private var folder: String {
        let path = config.signingKeyFile
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private var nextFile: String { "\(folder)/jwt_private.next.pem" }
    private var stateFile: String { "\(folder)/key_rotation.json" }

    /// Each file appears whole or not at all, in an order in which a crash between two leaves what works: a key is
    /// published before it can sign, and signs no more before it goes.
    func take(_ step: String, notice: Int64, at now: Timestamp) throws -> [String] {
        var rotation = KeyFile.read(stateFile).flatMap(KeyRotation.init(json:)) ?? KeyRotation()
        let published = try keys()
        switch step {
        case "publish":
            let key = try SigningKey.generate()
            try rotation.publish(key.verifying.id, at: now)
            try KeyFile.replace(nextFile, mode: 0o600, try key.pem())
            try KeyFile.replace(config.host.publicKeysFile, mode: 0o644, KeySet(published + [key.verifying]).jsonBytes + [0x0a])
            try save(rotation)
            return [key.verifying.id]
        case "activate":
            guard let pem = KeyFile.read(nextFile), let old = KeyFile.read(config.signingKeyFile) else {
                throw KeyRotation.Refusal.nothingPublished
            }
            let signer = try SigningKey(pem: old).verifying.id
            let id = try SigningKey(pem: pem).verifying.id
            if rotation.isInterrupted(signer: signer) {
                // A crash came before the key was replaced: the old one has signed until now.
                rotation.retire(signer, at: now)
            } else {
                guard try rotation.activate(insteadOf: signer, notice: notice, at: now) == id else {
                    throw KeyRotation.Refusal.nothingPublished
                }
            }
            guard published.contains(where: { $0.id == id }) else { throw KeyRotation.Refusal.nothingPublished }
            try save(rotation)
            try KeyFile.replace(config.signingKeyFile, mode: 0o600, pem)
            unlink(nextFile)
            return [id]
        default:
            guard let pem = KeyFile.read(config.signingKeyFile) else {
                throw KeyFileError(path: config.signingKeyFile, code: ENOENT)
            }
            let gone = rotation.retire(at: now, keeping: try SigningKey(pem: pem).verifying.id)
            let kept = published.filter { !gone.contains($0.id) }
            try KeyFile.replace(config.host.publicKeysFile, mode: 0o644, KeySet(kept).jsonBytes + [0x0a])
            try save(rotation)
            return gone
        }
    }

    private func keys() throws -> [VerifyingKey] {
        guard let bytes = KeyFile.read(config.host.publicKeysFile) else {
            throw KeyFileError(path: config.host.publicKeysFile, code: ENOENT)
        }
        return try KeySet(jwks: bytes).all
    }

    private func save(_ rotation: KeyRotation) throws {
        try KeyFile.replace(stateFile, mode: 0o600, rotation.jsonBytes + [0x0a])
    }

    private func record(_ step: String, _ ids: [String]) async throws {
        let tenants = try await host.db.systemTransaction { tx in try await TenantStore(sql: tx).all() }
        for tenant in tenants {
            try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                for id in ids { try tx.audit("\(step)_key", "signing_key", id) }
            }
        }
    }

    private static func say(_ refusal: KeyRotation.Refusal) -> String {
        switch refusal {
        case .alreadyPublished: "A next key is published already; activate it first."
        case .nothingPublished: "No next key is published; take --step publish first."
        case .tooEarly(let seconds): "Not every reader may know the next key yet; wait \(seconds) s more."
        }
    }
}
