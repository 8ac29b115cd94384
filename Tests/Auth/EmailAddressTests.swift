import Bootstrap
import Cryptography
import Testing

@testable import Auth

struct EmailAddressTests {
    @Test(arguments: ["a@b.co", "Doctor@Demo.Example", "first.last+tag@sub.domain.org", "ünï@exämple.org"])
    func `Addresses people have are taken`(text: String) {
        #expect(EmailAddress(text)?.text == text.lowercased())
    }

    @Test(arguments: [
        "", "a", "a@b", "@b.co", "a@", "a@@b.co", "a@b@c.co", "a b@c.co", "a@b..co", "a@.co", "a@b.co.", "a\0@b.co",
        "a@b.co\n", "a\u{2003}@b.co", "<a@b.co>", "a,b@c.co", String(repeating: "a", count: 65) + "@b.co",
        "a@" + String(repeating: "b", count: 260) + ".co",
    ])
    func `What no letter reaches is refused`(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func `The index depends on address and key only`() throws {
        let index = EmailIndex(keys: RotatingKeys(KeyChain(SymmetricKey())))
        let one = try #require(EmailAddress("Asha@Example.org"))
        let same = try #require(EmailAddress("asha@example.ORG"))
        let other = try #require(EmailAddress("asha2@example.org"))
        #expect(index(one) == index(same) && index(one) != index(other))
        #expect(EmailIndex(keys: RotatingKeys(KeyChain(SymmetricKey())))(one) != index(one))
    }

    @Test func `While keys change an address has an index for each of them, the newest first`() throws {
        let (old, new) = (SymmetricKey(), SymmetricKey())
        let address = try #require(EmailAddress("asha@example.org"))
        let both = EmailIndex(keys: RotatingKeys(KeyChain(new, former: [old])))(address)
        #expect(both == [new, old].flatMap { EmailIndex(keys: RotatingKeys(KeyChain($0)))(address) })
    }
}
