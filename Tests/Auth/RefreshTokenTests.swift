import Access
import Cryptography
import Primitives
import Testing

@testable import Auth

struct RefreshTokenTests {
    private let now = Timestamp(microseconds: 1_795_190_400_000_000)

    @Test func `A token reads back and names its session`() throws {
        let token = RefreshToken(tenant: TenantID(), session: ID())
        let read = try #require(RefreshToken(token.text))
        #expect(read == token && read.hash == token.hash && token.text.utf8.count == 86)
        #expect("\(token)" == "***")
    }

    @Test(arguments: ["", "x", String(repeating: "A", count: 85), String(repeating: "A", count: 87), String(repeating: "!", count: 86), String(repeating: "A", count: 85) + "B"])
    func `What cannot be a token is none`(text: String) {
        #expect(RefreshToken(text) == nil)
    }

    @Test func `A successor follows from its parent and our key`() {
        let token = RefreshToken(tenant: TenantID(), session: ID())
        let key = SymmetricKey()
        #expect(token.successor(key) == token.successor(key))
        #expect(token.successor(key) != token.successor(SymmetricKey()))
        #expect(token.successor(key).hash != token.hash && token.successor(key).session == token.session)
    }

    private func session(ended: Bool = false, expires: Int64 = 3600) -> Session {
        Session(
            id: ID(), account: AccountID(), startedAt: now, expiresAt: now.adding(seconds: expires),
            endedAt: ended ? now : nil)
    }

    @Test func `The live token is exchanged`() {
        #expect(session().verdict(rotatedAt: nil, successorIsLive: false, grace: .seconds(10), at: now) == .rotate)
    }

    @Test func `A retired token repeats its answer for ten seconds and is theft afterwards`() {
        let session = session()
        for (age, isLive, verdict) in [
            (0, true, Session.Verdict.repeatSuccessor), (9, true, .repeatSuccessor), (10, true, .reused),
            (600, true, .reused), (0, false, .reused),
        ] as [(Int64, Bool, Session.Verdict)] {
            #expect(
                session.verdict(
                    rotatedAt: now.adding(seconds: -age), successorIsLive: isLive, grace: .seconds(10), at: now) == verdict)
        }
    }

    @Test func `A session that ended or expired gives nothing more`() {
        for over in [session(ended: true), session(expires: 0)] {
            #expect(over.verdict(rotatedAt: nil, successorIsLive: false, grace: .seconds(10), at: now) == .over)
            #expect(over.verdict(rotatedAt: now, successorIsLive: true, grace: .seconds(10), at: now) == .over)
        }
    }
}
