import Testing

@testable import Cryptography

struct SealedTests {
    /// Test case 16 of the GCM specification (McGrew and Viega), which NIST's validation suite includes.
    @Test func `A box made by another implementation opens`() throws {
        let key = SymmetricKey(bytes: hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"))
        let text = hex(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        )
        let box = [1] + hex("cafebabefacedbaddecaf888") + text + hex("76fc6ece0f4e1768cddf8853bb2d551b")
        let plain = try Sealed.open(box, key: key, context: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
        #expect(
            plain
                == hex(
                    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
                ))
    }

    @Test(arguments: [0, 1, 15, 16, 17, 400, 100_000])
    func `What was sealed opens again`(count: Int) throws {
        let key = SymmetricKey()
        let plain = Random.bytes(count)
        let box = try Sealed.seal(plain, key: key, context: [UInt8]("tenant|account|name".utf8))
        #expect(box.count == count + 29)
        #expect(try Sealed.open(box, key: key, context: [UInt8]("tenant|account|name".utf8)) == plain)
    }

    @Test func `No flipped bit, cut or other key opens`() throws {
        let key = SymmetricKey()
        let box = try Sealed.seal([UInt8]("a name".utf8), key: key, context: [7])
        for bit in 0..<box.count * 8 {
            var changed = box
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: CryptographyError.invalid) { try Sealed.open(changed, key: key, context: [7]) }
        }
        for length in 0..<box.count {
            #expect(throws: CryptographyError.invalid) {
                try Sealed.open([UInt8](box.prefix(length)), key: key, context: [7])
            }
        }
        #expect(throws: CryptographyError.invalid) { try Sealed.open(box, key: SymmetricKey(), context: [7]) }
        #expect(throws: CryptographyError.invalid) { try Sealed.open(box, key: key, context: [8]) }
        #expect(throws: CryptographyError.invalid) { try Sealed.open(box, key: key, context: []) }
    }

    @Test func `The same text sealed twice differs`() throws {
        let key = SymmetricKey()
        #expect(try Sealed.seal([1], key: key, context: []) != Sealed.seal([1], key: key, context: []))
    }

    @Test func `A key prints as stars`() {
        let key = SymmetricKey()
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "***" && String(reflecting: key) == "***")
        #expect(!dumped.contains("\(key.bytes[0])\n"))
    }

    @Test func `A key file is 64 hexadecimal digits`() {
        let digits = String(repeating: "0f", count: 32)
        #expect(SymmetricKey(hex: [UInt8]((digits + "\n").utf8))?.bytes == [UInt8](repeating: 15, count: 32))
        #expect(SymmetricKey(hex: [UInt8](digits.dropLast().utf8)) == nil)
        #expect(SymmetricKey(hex: [UInt8](("zz" + digits.dropLast(2)).utf8)) == nil)
    }

    @Test func `Keys derived for different uses differ`() {
        let key = SymmetricKey()
        #expect(key.derived(for: "a").bytes == key.derived(for: "a").bytes)
        #expect(key.derived(for: "a").bytes != key.derived(for: "b").bytes)
    }
}
