import Testing

@testable import Cryptography

struct PasswordHashTests {
    private let hashing = PasswordHash(pepper: SymmetricKey(), passes: 1, memoryMiB: 8)

    @Test func `Only the right password with the right pepper verifies`() throws {
        let hash = try hashing.make("Polyclinic-demo-2026")
        #expect(hash.hasPrefix("$argon2id$v=19$m=8192,t=1,p=1$"))
        #expect(try hashing.verify("Polyclinic-demo-2026", against: hash))
        #expect(try !hashing.verify("Polyclinic-demo-2027", against: hash))
        #expect(try !hashing.verify("", against: hash))
        #expect(try !PasswordHash(pepper: SymmetricKey(), memoryMiB: 8).verify("Polyclinic-demo-2026", against: hash))
        #expect(try !hashing.verify("Polyclinic-demo-2026", against: "not a hash"))
    }

    @Test func `A password may hold any character, NUL and long ones included`() throws {
        let long = String(repeating: "é\0", count: 500)
        let hash = try hashing.make(long)
        #expect(try hashing.verify(long, against: hash))
        #expect(try !hashing.verify(String(long.dropLast()), against: hash))
    }

    @Test func `Other parameters ask for a new hash`() throws {
        let hash = try hashing.make("password")
        #expect(!hashing.needsRehash(hash))
        #expect(PasswordHash(pepper: SymmetricKey()).needsRehash(hash))
    }

    @Test func `The same password twice gives two hashes`() throws {
        #expect(try hashing.make("password") != hashing.make("password"))
    }
}
