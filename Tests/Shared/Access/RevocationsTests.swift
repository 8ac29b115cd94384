import Cryptography
import HTTP
import Loop
import Primitives
import TestSupport
import Testing

@testable import Access

struct RevocationsTests {
    private let now = AccessToken.now

    private func request(_ values: String...) -> Request {
        Request(method: "GET", path: "/", headers: values.map { (name: "authorization", value: $0) })
    }

    @LoopActor private func refusal(_ verifier: TokenVerifier, _ request: Request, at time: Timestamp) -> TokenRefusal? {
        do {
            _ = try verifier.principal(of: request, at: time)
            return nil
        } catch { return error }
    }

    @Test func `A token that was verified before is still refused once its account is`() async throws {
        try await onLoop {
            let key = try SigningKey.generate()
            let token = AccessToken.sample()
            let asked = request("Bearer " + (try TokenMint(key: key).sign(token)))
            let revocations = Revocations()
            let verifier = TokenVerifier(keys: KeySet([key.verifying]), revocations: revocations)

            for _ in 0..<2 { #expect(refusal(verifier, asked, at: now) == nil) }
            revocations.revoke(AccountID(), before: now.adding(seconds: 1))
            #expect(refusal(verifier, asked, at: now) == nil)
            revocations.revoke(token.account, before: now)
            #expect(refusal(verifier, asked, at: now) == nil)  // Issued at the line, so after the change.
            revocations.revoke(token.account, before: now.adding(seconds: 1))
            #expect(refusal(verifier, asked, at: now) == .revoked)
            revocations.revoke(token.account, before: now.adding(seconds: -9))
            #expect(refusal(verifier, asked, at: now) == .revoked)  // The line never moves back.
        }
    }

    @Test func `A token that was verified before still expires`() async throws {
        try await onLoop {
            let key = try SigningKey.generate()
            let asked = request("bearer " + (try TokenMint(key: key).sign(.sample())))
            let verifier = TokenVerifier(keys: KeySet([key.verifying]), revocations: Revocations())
            #expect(refusal(verifier, asked, at: now) == nil)
            #expect(refusal(verifier, asked, at: now.adding(seconds: 629)) == nil)
            #expect(refusal(verifier, asked, at: now.adding(seconds: 630)) == .expired)
        }
    }

    @Test func `No token, another scheme and two tokens are refused`() async throws {
        try await onLoop {
            let key = try SigningKey.generate()
            let token = "Bearer " + (try TokenMint(key: key).sign(.sample()))
            let verifier = TokenVerifier(keys: KeySet([key.verifying]), revocations: Revocations())
            #expect(refusal(verifier, request(), at: now) == .missing)
            #expect(refusal(verifier, request("Basic YTpi"), at: now) == .missing)
            #expect(refusal(verifier, request("Bearer"), at: now) == .missing)
            #expect(refusal(verifier, request("Bearer "), at: now) == .invalid)
            #expect(refusal(verifier, request(token, token), at: now) == .invalid)
            #expect(refusal(verifier, request("Bearer " + String(repeating: "a", count: 5000)), at: now) == .invalid)
            #expect(refusal(verifier, request(token), at: now) == nil)
        }
    }
}
