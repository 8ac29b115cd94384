import Cryptography
import Testing

@testable import Clinical

@Suite struct SearchTests {
    let keys = SearchKeys(ring: KeyRing(tenantKey: SymmetricKey(bytes: [UInt8](repeating: 7, count: 32))))

    /// What Postgres does: does the question share a key with what is stored?
    private func meet(_ asked: String, _ name: String) -> Bool {
        let stored = Set(keys.stored(name: name, phone: nil))
        return NameTokens.of(asked).allSatisfy { word in
            (keys.close(to: word) + keys.distant(word)).contains { stored.contains($0) }
        }
    }

    private func cost(_ asked: String, _ name: String) -> Int? {
        NameMatch.cost(of: NameTokens.of(asked).map { NameMatch.Word($0) }, in: NameTokens.of(name))
    }

    @Test func `A name is cut into lower-case words without accents or punctuation`() {
        #expect(NameTokens.of("Dr. O'Brien-Müller, Łukasz") == ["dr", "o", "brien", "muller", "lukasz"])
        #expect(NameTokens.of("José Nuñez\u{0301}") == ["jose", "nunez"])
        #expect(NameTokens.of("लक्ष्मी देवी") == ["लक्ष्मी", "देवी"])
        #expect(NameTokens.of("   ") == [])
        // A letter that stands for two makes no word longer than a word may be: it would be another one when it is cut again.
        let long = NameTokens.of(String(repeating: "o", count: 31) + "ßm")
        #expect(long == [String(repeating: "o", count: 31) + "m"] && NameTokens.of(long[0]) == long)
    }

    @Test(arguments: [
        ("Meera", "Mera"), ("Ramanathan", "Ramnathan"), ("Krishnamurthy", "Krishnamurty"), ("Suresh", "Suersh"),
        ("Deshpande", "Dehspande"), ("Harpreet", "Harprit"), ("Iyer", "Iyar"), ("Fatima", "Fathima"),
        ("लक्ष्मी", "लक्षमी"),
    ])
    func `A word with a typo shares a key with the right one and is ranked`(name: String, typed: String) {
        #expect(meet(typed, name))
        #expect(cost(typed, name) != nil)
    }

    @Test(arguments: [
        ("Lakshmi", "Laxmi"), ("Chaudhary", "Chowdhury"), ("Mohammed", "Muhammad"), ("Vishwanath", "Visvanat"),
        ("Joseph", "Josef"), ("Qureshi", "Kureshi"),
    ])
    func `Other spellings of one sound meet`(name: String, typed: String) {
        #expect(SoundKey.of(NameTokens.of(name)[0]) == SoundKey.of(NameTokens.of(typed)[0]))
        #expect(meet(typed, name))
        #expect(cost(typed, name) != nil)
    }

    @Test func `The beginning of a name finds it`() {
        #expect(meet("Ram", "Ramanathan"))
        #expect(meet("Ramanat", "Ramanathan"))
        #expect(cost("Ramanat", "Ramanathan") == 3)
    }

    @Test func `Exact names come before begun ones, those before misspelt ones`() throws {
        let exact = try #require(cost("Asha Rao", "Asha Rao"))
        let begun = try #require(cost("Asha Rao", "Asha Raote"))
        let misspelt = try #require(cost("Asha Rao", "Usha Rao"))
        #expect(exact < begun && begun < misspelt)
        #expect(cost("Asha Rao", "Meera Iyer") == nil)
    }

    @Test func `Neighbours that change places are one edit`() {
        let distance = { (a: String, b: String) in
            NameMatch.distance(Array(a.unicodeScalars), Array(b.unicodeScalars), upTo: 2)
        }
        #expect(distance("suresh", "suersh") == 1)
        #expect(distance("suresh", "sursh") == 1)
        #expect(distance("suresh", "suresh") == 0)
        #expect(distance("suresh", "ramesh") == nil)
        #expect(distance("", "ab") == 2)
    }

    @Test func `A phone number is found whole, without its country, and by its end`() {
        let stored = Set(keys.stored(name: "A", phone: "+919820012345"))
        for typed in ["+91 98200 12345", "9820012345", "09820012345", "0012345"] {
            #expect(keys.asked(phone: typed).contains { stored.contains($0) }, "\(typed)")
        }
        #expect(!keys.asked(phone: "9820012346").contains { stored.contains($0) })
        #expect(keys.asked(phone: "123").isEmpty)
    }

    @Test func `Another tenant's keys differ`() {
        let other = SearchKeys(ring: KeyRing(tenantKey: SymmetricKey(bytes: [UInt8](repeating: 8, count: 32))))
        let both = Set(keys.stored(name: "Meera Iyer", phone: nil)).intersection(other.stored(name: "Meera Iyer", phone: nil))
        #expect(both.isEmpty)
    }
}
