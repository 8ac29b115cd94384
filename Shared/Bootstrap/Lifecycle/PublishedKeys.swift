import Access
import Loop

/// Keeps the pinned keys in step with the published set, so that keys are rotated without a restart.
///
/// The file is read again every 30 seconds, and at once when a token names a key we do not know; but however many
/// such tokens come, they cause one reading in 30 seconds (S13).
@LoopActor package final class PublishedKeys {
    private nonisolated static let interval = 30_000_000_000
    private let file: String
    private let verifier: TokenVerifier
    private let log: Log
    private var seen: [UInt8] = []
    private var askedAt: Int?
    /// How often the file was read, for tests.
    package private(set) var readings = 0

    package nonisolated init(file: String, verifier: TokenVerifier, log: Log) {
        self.file = file
        self.verifier = verifier
        self.log = log
    }

    /// From now on unknown keys are looked for.
    package func start() {
        verifier.reloadKeys = { [weak self] in self?.reloadForUnknownKey() ?? false }
    }

    var worker: Worker {
        Worker("published keys") {
            while true {
                try await EventLoop.sleep(for: .seconds(30))
                self.reload()
            }
        }
    }

    private func reloadForUnknownKey() -> Bool {
        let now = EventLoop.shared.tickTime
        if let askedAt, now &- askedAt < Self.interval { return false }
        askedAt = now
        return reload()
    }

    /// Whether there are other keys now. A file that does not read leaves things as they are.
    @discardableResult package func reload() -> Bool {
        readings += 1
        guard let bytes = readFile(file, limit: 65_536) else {
            log.write(.error, "the published keys cannot be read")
            return false
        }
        guard bytes != seen else { return false }
        do {
            let keys = try KeySet(jwks: bytes)
            seen = bytes
            guard keys.ids != verifier.keys.ids else { return false }
            verifier.pin(keys)
            log.write(.info, "published keys changed", ("keys", "\(keys.count)"))
            return true
        } catch {
            log.write(.error, "the published keys do not read")
            return false
        }
    }
}
