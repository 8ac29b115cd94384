import Cryptography
import Glibc

/// Passwords that are known to be tried first, because they were found in breaches.
///
/// A small filter is built in; an operator may add a file of any size (`BREACH_LIST_FILE`), one password or one
/// SHA-1 in hexadecimal per line, as Have I Been Pwned hands them out (`SHA1:count`).
struct BreachList: Sendable {
    private let filter: [UInt8]
    /// The first 8 bytes of the SHA-1 of every entry of the operator's file, in order.
    private let own: [UInt64]

    init(own: [UInt64] = []) {
        filter = Base64URL.decode(CommonPasswords.filter) ?? []
        self.own = own.sorted()
    }

    func contains(_ password: String) -> Bool {
        let lower = password.lowercased()
        return isCommon(lower) || isOwn(password) || isOwn(lower)
    }

    private func isCommon(_ password: String) -> Bool {
        let bits = UInt64(filter.count) * 8
        guard bits > 0 else { return false }
        let digest = SHA256.digest([UInt8](password.utf8))
        let first = Self.number(digest[0..<8])
        let second = Self.number(digest[8..<16]) | 1
        return (0..<CommonPasswords.probes).allSatisfy { probe in
            let bit = (first &+ probe &* second) % bits
            return filter[Int(bit >> 3)] & (1 << UInt8(bit & 7)) != 0
        }
    }

    private func isOwn(_ password: String) -> Bool {
        guard !own.isEmpty else { return false }
        let wanted = Self.number(SHA1.digest([UInt8](password.utf8))[0..<8])
        var low = 0
        var high = own.count
        while low < high {
            let middle = (low + high) / 2
            if own[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < own.count && own[low] == wanted
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

extension BreachList {
    /// Reads the operator's file; nil when it cannot be read. 1 GB of SHA-1 lines is 24 million entries, 190 MB here.
    init?(file path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var entries: [UInt64] = []
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { return nil }
            for byte in buffer.prefix(count) {
                if byte == UInt8(ascii: "\n") {
                    if let entry = Self.entry(line) { entries.append(entry) }
                    line.removeAll(keepingCapacity: true)
                } else if line.count < 1024 {
                    line.append(byte)
                }
            }
            if count == 0 { break }
        }
        if let entry = Self.entry(line) { entries.append(entry) }
        self.init(own: entries)
    }

    /// What one line stands for; nil for an empty one.
    static func entry(_ line: [UInt8]) -> UInt64? {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line[...]
        guard !line.isEmpty else { return nil }
        let digest = line.prefix { $0 != UInt8(ascii: ":") }
        if digest.count == 40, let number = UInt64(String(decoding: digest.prefix(16), as: UTF8.self), radix: 16) {
            return number
        }
        return number(SHA1.digest([UInt8](line))[0..<8])
    }
}
