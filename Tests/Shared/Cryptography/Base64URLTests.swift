import Testing

@testable import Cryptography

struct Base64URLTests {
    /// RFC 4648 section 10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `The vectors of RFC 4648 hold both ways`(plain: String, encoded: String) {
        #expect(Base64URL.encode([UInt8](plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == [UInt8](plain.utf8))
    }

    @Test func `Every byte survives`() {
        #expect(Base64URL.decode(Base64URL.encode([UInt8](0...255))) == [UInt8](0...255))
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    }

    @Test(arguments: ["Z", "Zg==", "Zh", "Zm9", "+/8", "Zm 8", "Zm8\n", "Zm8é"])
    func `Padding, other letters and second spellings are refused`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
