import Primitives
import Testing

@testable import Access

struct VerifiedTokensTests {
    private func entry() -> VerifiedTokens.Entry {
        let token = AccessToken.sample()
        return VerifiedTokens.Entry(
            principal: token.principal(bearer: "x"), issuedAt: token.issuedAt, expiresAt: token.expiresAt)
    }

    @Test func `What is used stays and the whole is bounded`() {
        var tokens = VerifiedTokens(limit: 100)
        for number in 0..<1000 {
            tokens.insert(entry(), for: "token \(number)")
            let used = number == 0 || tokens["token 0"] != nil
            #expect(used)
            #expect(tokens.count <= 100)
        }
        let first = tokens["token 1"] == nil
        #expect(first)
    }
}
