import Cryptography
import Testing

struct KeyChainTests {
    private let context = Array("tenant|patient|table|column|row".utf8)

    @Test func `What a former key sealed opens, and is sealed again under the new one`() throws {
        let (old, new) = (SymmetricKey(), SymmetricKey())
        let box = try Sealed.seal([1, 2, 3], keys: KeyChain(old), context: context)
        let both = KeyChain(new, former: [old])
        #expect(try Sealed.open(box, keys: both, context: context) == [1, 2, 3])
        let again = try Sealed.seal([1, 2, 3], keys: both, context: context)
        #expect(try Sealed.open(again, keys: KeyChain(new), context: context) == [1, 2, 3])
        #expect(throws: CryptographyError.self) { try Sealed.open(again, keys: KeyChain(old), context: context) }
        #expect(!Sealed.isOutdated(again, keys: both, context: context))
        #expect(Sealed.isOutdated(box, keys: both, context: context))
    }

    @Test func `A box of the format before key ids opens with every key that may have closed it`() throws {
        let (old, new) = (SymmetricKey(), SymmetricKey())
        let box = try Sealed.seal([7], key: old, context: context)
        #expect(try Sealed.open(box, keys: KeyChain(new, former: [old]), context: context) == [7])
        #expect(Sealed.isOutdated(box, keys: KeyChain(new, former: [old]), context: context))
    }

    @Test func `Of a thousand former keys none is taken for the current one, whatever byte they share`() throws {
        let current = SymmetricKey()
        for _ in 0..<1_000 {
            let old = SymmetricKey()
            let box = try Sealed.seal([1], keys: KeyChain(old), context: context)
            let chain = KeyChain(current, former: [old])
            #expect(Sealed.isOutdated(box, keys: chain, context: context))
            #expect(try Sealed.open(box, keys: chain, context: context) == [1])
        }
    }

    @Test func `Another row, another key or one changed bit opens nothing`() throws {
        let keys = KeyChain(SymmetricKey())
        let box = try Sealed.seal(Array("who".utf8), keys: keys, context: context)
        #expect(throws: CryptographyError.self) {
            try Sealed.open(box, keys: keys, context: Array("tenant|other|table|column|row".utf8))
        }
        #expect(throws: CryptographyError.self) { try Sealed.open(box, keys: KeyChain(SymmetricKey()), context: context) }
        for index in box.indices {
            var changed = box
            changed[index] ^= 1
            #expect(throws: CryptographyError.self) { try Sealed.open(changed, keys: keys, context: context) }
        }
    }

    @Test func `Keys of two uses differ although their secret is one`() throws {
        let keys = KeyChain(SymmetricKey(), former: [SymmetricKey()])
        let box = try Sealed.seal([9], keys: keys.derived(for: "one"), context: context)
        #expect(throws: CryptographyError.self) { try Sealed.open(box, keys: keys.derived(for: "two"), context: context) }
        #expect(try Sealed.open(box, keys: keys.derived(for: "one"), context: context) == [9])
    }

    /// As many as S16 promises: seven seconds of a debug build.
    @Test func `A million boxes under one key have a million nonces`() throws {
        let count = 1_000_000
        let keys = KeyChain(SymmetricKey())
        var seen = Set<UInt64>(minimumCapacity: count)
        for _ in 0..<count {
            // Eight of the twelve bytes tell them apart: of a million, by chance two are the same in one of thirty million runs.
            let box = try Sealed.seal([], keys: keys, context: context)
            seen.insert(box.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 3, as: UInt64.self) })
        }
        #expect(seen.count == count)
    }
}
