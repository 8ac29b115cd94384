import Bootstrap
import Cryptography
import Glibc
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct PasswordPolicyTests {
    private let policy = PasswordPolicy(breached: BreachList())

    private func refusal(_ password: String, besideAFactor: Bool = false) -> PasswordPolicy.Refusal? {
        do {
            try policy.check(password, address: "nisha.thomas@demo.example", hasSecondFactor: besideAFactor)
            return nil
        } catch { return error }
    }

    @Test func `Length is asked for by what stands beside the password`() {
        #expect(refusal("quay lamp seven") == nil)
        #expect(refusal("quay lamp seve") == .tooShort(atLeast: 15))
        #expect(refusal("quay-lam", besideAFactor: true) == nil)
        #expect(refusal("quay-la", besideAFactor: true) == .tooShort(atLeast: 8))
        #expect(refusal(String(repeating: "quay lamp ", count: 12) + "seventy!") == nil)
        #expect(refusal(String(repeating: "quay lamp ", count: 12) + "seventy!!") == .tooLong)
    }

    @Test func `Which characters it is made of is nobody's business`() {
        #expect(refusal("rivers bend slowly") == nil)
        #expect(refusal("नदी धीरे धीरे मुड़ती है") == nil)
    }

    @Test(arguments: ["password1", "12345678", "qwertyuiop", "iloveyou1", "PASSWORD1"])
    func `What attackers try first is refused`(password: String) {
        #expect(refusal(password, besideAFactor: true) != nil)
    }

    @Test func `So is what repeats it, one thing over and over, and the own address`() {
        #expect(refusal("password1password1") == .breached)
        #expect(refusal("abcabcabcabcabcabc") == .guessable)
        #expect(refusal("aaaaaaaaaaaaaaaa") == .guessable)
        #expect(refusal("abcdefghijklmnopq") == .guessable)
        #expect(refusal("zyxwvutsrqponmlk") == .guessable)
        #expect(refusal("nisha.thomas@demo.example") == .guessable)
        #expect(refusal("Nisha.Thomasnisha.thomas") == .guessable)
    }

    @Test func `The filter is wrong about once in a thousand, and only towards refusing`() {
        let list = BreachList()
        let wrong = (0..<20_000).count { list.contains("harbour-\($0 &* 7919)-lantern") }
        #expect(wrong < 60)
    }

    @Test func `An operator's own list is read as words and as digests`() throws {
        let path = "/tmp/polyclinic-breach-\(AccountID())"
        defer { unlink(path) }
        let digest = SHA1.digest(Array("correct horse battery".utf8))
        let hex = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined().uppercased()
        _ = try KeyFile.make(path, mode: 0o600, Array("our clinic rocks!\r\n\n\(hex):1234\nlast line without end".utf8))
        let list = try #require(BreachList(file: path))
        for listed in ["our clinic rocks!", "correct horse battery", "last line without end", "Our Clinic Rocks!"] {
            #expect(list.contains(listed))
        }
        #expect(!list.contains("quay lamp seven"))
        #expect(BreachList(file: path + "-missing") == nil)
    }

    @Test func `One word from two keyboards is one password`() async throws {
        try await Clinic.with { clinic in
            let composed = "caf\u{e9} r\u{e9}sum\u{e9} \u{c5}ngstr\u{f6}m"
            let decomposed = "cafe\u{301} re\u{301}sume\u{301} A\u{30a}ngstro\u{308}m"
            #expect(Array(composed.utf8) != Array(decomposed.utf8))
            #expect(await clinic.password(from: Clinic.password, to: decomposed).status == 204)
            let again = try await clinic.login("admin@demo.example", composed)
            #expect(again.status == 200)
        }
    }

    @Test func `A hash of older parameters is replaced by signing in`() async throws {
        let path = "/tmp/polyclinic-pepper-\(AccountID())"
        defer { unlink(path) }
        let pepper = SymmetricKey()
        _ = try KeyFile.make(path, mode: 0o600, Array(hex(pepper).utf8))
        try await Clinic.with(["PASSWORD_PEPPER_FILE": path]) { clinic in
            let old = try PasswordHash(pepper: pepper, passes: 2, memoryMiB: 19).make(Clinic.password)
            try await clinic.host.database.asOwner(
                "set app.tenant = '\(clinic.admin.tenant)'; update account set password_hash = '\(old)'")
            @LoopActor func stored() async throws -> String? {
                try await clinic.host.host.db.reader(for: clinic.admin.tenant).first(
                    "select password_hash from account", as: { row in try row.next(as: String.self) })
            }
            #expect(try await clinic.login("admin@demo.example", "wrong wrong wrong").status == 401)
            #expect(try await stored() == old)
            #expect(try await clinic.login("admin@demo.example").status == 200)
            let new = try await stored()
            #expect(new?.hasPrefix("$argon2id$v=19$m=47104,t=1,p=1$") == true)
            #expect(try await clinic.login("admin@demo.example").status == 200)
            #expect(try await stored() == new)
        }
    }

    @Test func `A new pepper takes over as people sign in, and the former one may go then`() async throws {
        let path = "/tmp/polyclinic-pepper-\(AccountID())"
        defer { unlink(path) }
        func write(_ peppers: SymmetricKey...) throws {
            let lines = peppers.map { hex($0) + "\n" }
            // By another file that takes its place, as a mounted secret is changed.
            _ = try KeyFile.make(path + ".new", mode: 0o600, Array(lines.joined().utf8))
            #expect(rename(path + ".new", path) == 0)
        }
        let (first, second, third) = (SymmetricKey(), SymmetricKey(), SymmetricKey())
        try write(first)
        try await Clinic.with(["PASSWORD_PEPPER_FILE": path]) { clinic in
            @LoopActor func stored() async throws -> String {
                try await clinic.host.host.db.reader(for: clinic.admin.tenant).first(
                    "select password_hash from account", as: { row in try row.next(as: String.self) }) ?? ""
            }
            /// The file is read again within a second.
            @LoopActor func signIn(until status: Int, _ isSo: (@LoopActor () async throws -> Bool)? = nil) async throws {
                for _ in 0..<500 {
                    let answer = try await clinic.login("admin@demo.example")
                    if answer.status == status, try await isSo?() ?? true { return }
                    try await EventLoop.sleep(for: .milliseconds(20))
                }
                Issue.record("signing in never gave \(status)")
            }
            @LoopActor func use(_ peppers: KeyChain) async throws -> String {
                try await PepperUse(host: clinic.host.host, hashing: PasswordHash(peppers: { peppers })).report()
            }
            try await signIn(until: 200)
            #expect(try await stored().hasPrefix("$argon2id$"))
            #expect(try await use(KeyChain(second, former: [first])).hasPrefix("1 of 1 "))

            try write(second, first)
            try await signIn(until: 200) { try await !stored().hasPrefix("$") }
            let marked = try await stored()
            #expect(marked.contains("$argon2id$"))
            #expect(try await clinic.login("admin@demo.example", "wrong wrong wrong").status == 401)
            try await signIn(until: 200)
            #expect(try await stored() == marked)
            #expect(try await use(KeyChain(second, former: [first])).hasPrefix("All 1 "))

            // A process that has not read the newest line cannot say that the password is wrong, and counts nothing.
            @LoopActor func store(_ hash: String) async throws {
                try await clinic.host.database.asOwner(
                    "set app.tenant = '\(clinic.admin.tenant)'; update account set password_hash = '\(hash)'")
            }
            try await store(PasswordHash(peppers: { KeyChain(third, former: [second]) }, memoryMiB: 19).make(Clinic.password))
            for _ in 0..<12 { #expect(try await clinic.login("admin@demo.example").status == 503) }
            try await store(marked)

            try write(second)
            try await signIn(until: 200)
            #expect(try await stored() == marked)
        }
    }

    @Test func `A short password is a wrong field`() async throws {
        try await Clinic.with { clinic in
            let answer = await clinic.password(from: Clinic.password, to: "short-but-ok")
            #expect(answer.code == "invalid_request" && answer.pointers == ["/newPassword"])
        }
    }
}

private func hex(_ key: SymmetricKey) -> String {
    key.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
