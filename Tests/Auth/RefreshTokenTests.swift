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

    private func verdict(
        _ session: Session, issued: Int64 = 0, rotated: Int64? = nil, successorIsLive: Bool = false, idleLimit: Int64? = nil
    ) -> Session.Verdict {
        let token = StoredToken(
            issuedAt: now.adding(seconds: -issued), rotatedAt: rotated.map { now.adding(seconds: -$0) })
        return session.verdict(token, successorIsLive: successorIsLive, grace: .seconds(10), idleLimit: idleLimit, at: now)
    }

    @Test func `The live token is exchanged`() {
        #expect(verdict(session()) == .rotate)
    }

    @Test func `A live token that nobody used for too long ends its session, where that is asked for`() {
        #expect(verdict(session(), issued: 2399, idleLimit: 2400) == .rotate)
        #expect(verdict(session(), issued: 2400, idleLimit: 2400) == .idle)
        #expect(verdict(session(), issued: 2_000_000, idleLimit: nil) == .rotate)
        // A retired one was used: it is judged as such.
        #expect(verdict(session(), issued: 2400, rotated: 5, successorIsLive: true, idleLimit: 2400) == .repeatSuccessor)
        #expect(verdict(session(expires: 0), issued: 2400, idleLimit: 2400) == .over)
    }

    @Test func `A retired token repeats its answer for ten seconds and is theft afterwards`() {
        let session = session()
        for (age, isLive, verdict) in [
            (0, true, Session.Verdict.repeatSuccessor), (9, true, .repeatSuccessor), (10, true, .reused),
            (600, true, .reused), (0, false, .reused),
        ] as [(Int64, Bool, Session.Verdict)] {
            #expect(self.verdict(session, rotated: age, successorIsLive: isLive) == verdict)
        }
    }

    @Test func `A session that ended or expired gives nothing more`() {
        for over in [session(ended: true), session(expires: 0)] {
            #expect(verdict(over) == .over)
            #expect(verdict(over, rotated: 0, successorIsLive: true) == .over)
        }
    }
}
