import Cryptography
import Glibc
import Synchronization

/// Keys as their file holds them now: the first line seals, the others still open.
///
/// To change the master key without a restart: put the new one in front of the old one, run `rotate-data-keys` of every
/// service that has it, take the old one out. Auth's pepper and index key are changed the same way: hashes are made again
/// as their owners sign in, and by `rotate-index-key`.
/// The file is looked at again at most once a second, and whenever something does not open.
package final class RotatingKeys: Sendable {
    private let file: String?
    private let state: Mutex<State>

    private struct State {
        var chain: KeyChain
        var stamp: Stamp?
        var lookedAt = 0
        var derived: [String: KeyChain] = [:]
    }

    private struct Stamp: Equatable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int
        let inode: UInt
    }

    package init(_ chain: KeyChain, file: String? = nil) {
        self.file = file
        state = Mutex(State(chain: chain, stamp: file.flatMap(Self.stamp)))
    }

    package var chain: KeyChain {
        state.withLock {
            refresh(&$0)
            return $0.chain
        }
    }

    /// The keys derived for one use.
    package func keys(for use: String) -> KeyChain {
        state.withLock { state in
            refresh(&state)
            if let known = state.derived[use] { return known }
            let keys = state.chain.derived(for: use)
            if state.derived.count >= 10_000 { state.derived = [:] }
            state.derived[use] = keys
            return keys
        }
    }

    private func refresh(_ state: inout State) {
        guard let file else { return }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        guard now.tv_sec != state.lookedAt else { return }
        state.lookedAt = now.tv_sec
        let stamp = Self.stamp(file)
        guard stamp != state.stamp, let chain = Self.read(file) else { return }
        state.chain = chain
        state.stamp = stamp
        state.derived = [:]
    }

    /// Opens with the keys known, and again with the file as it is now when that fails.
    package func open(_ box: [UInt8], for use: String, context: [UInt8]) throws -> [UInt8] {
        if let plain = try? Sealed.open(box, keys: keys(for: use), context: context) { return plain }
        guard let file, let fresh = Self.read(file) else { throw CryptographyError.invalid }
        state.withLock {
            $0.chain = fresh
            $0.derived = [:]
        }
        return try Sealed.open(box, keys: fresh.derived(for: use), context: context)
    }

    /// One key of 64 hexadecimal digits a line; nil when a line is something else, or there is none.
    static func read(_ file: String) -> KeyChain? {
        readFile(file, limit: 65_536).flatMap { parse(String(decoding: $0, as: UTF8.self)) }
    }

    static func parse(_ text: String) -> KeyChain? {
        var keys: [SymmetricKey] = []
        for line in text.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
            guard let key = SymmetricKey(hex: Array(line.utf8)) else { return nil }
            keys.append(key)
        }
        return keys.first.map { KeyChain($0, former: Array(keys.dropFirst())) }
    }

    private static func stamp(_ file: String) -> Stamp? {
        var facts = stat()
        guard stat(file, &facts) == 0 else { return nil }
        return Stamp(
            seconds: facts.st_mtim.tv_sec, nanoseconds: facts.st_mtim.tv_nsec, size: Int(facts.st_size),
            inode: UInt(facts.st_ino))
    }
}
