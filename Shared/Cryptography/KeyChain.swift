/// The key that seals from now on, and the former ones that still open what they sealed.
///
/// A box says by one byte which key closed it, so a chain of many opens as fast as one key. The byte is taken from
/// the key itself: no number has to be kept beside it, and two keys that share it are both tried.
package struct KeyChain: Sendable {
    package let current: SymmetricKey
    package let former: [SymmetricKey]
    private let ids: [UInt8]

    package init(_ current: SymmetricKey, former: [SymmetricKey] = []) {
        self.current = current
        self.former = former
        ids = ([current] + former).map(Self.id)
    }

    package var all: [SymmetricKey] { [current] + former }

    /// Every key's own derivation for this use (HKDF): one secret, many uses.
    package func derived(for use: String) -> KeyChain {
        KeyChain(current.derived(for: use), former: former.map { $0.derived(for: use) })
    }

    /// The same with `keys` to open with as well.
    package func opening(_ keys: [SymmetricKey]) -> KeyChain { KeyChain(current, former: former + keys) }

    /// HMAC-SHA-256 under the current key, for what `isAuthentic` is asked of later.
    package func authenticate(_ message: [UInt8]) -> [UInt8] { SHA256.authenticate(message, key: current.bytes) }

    /// Whether a key of this chain made `code` of `message`: what was given out before a rotation is still ours.
    package func isAuthentic(_ code: [UInt8], of message: [UInt8]) -> Bool {
        all.contains { constantTimeEqual(code, SHA256.authenticate(message, key: $0.bytes)) }
    }

    var currentID: UInt8 { ids.first ?? 0 }

    func keys(with id: UInt8) -> [SymmetricKey] { zip(all, ids).filter { $0.1 == id }.map(\.0) }

    private static func id(_ key: SymmetricKey) -> UInt8 {
        SHA256.authenticate(Array("polyclinic key id".utf8), key: key.bytes).first ?? 0
    }
}

extension Sealed {
    /// The format whose second byte names the key: 2 ‖ key id ‖ a box as `seal` makes it.
    private static let keyed: UInt8 = 2

    /// Under the chain's current key.
    package static func seal(_ plain: [UInt8], keys: KeyChain, context: [UInt8]) throws -> [UInt8] {
        try [keyed, keys.currentID] + seal(plain, key: keys.current, context: context + [keyed, keys.currentID])
    }

    /// With whichever key of the chain closed it; `invalid` when none did. Reads boxes of the format without a key's
    /// id too, trying each key.
    package static func open(_ box: [UInt8], keys: KeyChain, context: [UInt8]) throws -> [UInt8] {
        guard box.first == keyed, box.count > 2 else {
            for key in keys.all {
                if let plain = try? open(box, key: key, context: context) { return plain }
            }
            throw CryptographyError.invalid
        }
        for key in keys.keys(with: box[1]) {
            if let plain = try? open(Array(box[2...]), key: key, context: context + [keyed, box[1]]) { return plain }
        }
        throw CryptographyError.invalid
    }

    /// Whether the box was closed with a key other than the chain's current one, or before boxes named their key. It
    /// tries the key: one in 256 former ones has the same byte, and rotation must not take it for the current one.
    package static func isOutdated(_ box: [UInt8], keys: KeyChain, context: [UInt8]) -> Bool {
        box.first != keyed || (try? open(box, keys: KeyChain(keys.current), context: context)) == nil
    }
}
