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
            tokens.insert(entry(), for: .init(text: "token \(number)"))
            let used = number == 0 || tokens[.init(text: "token 0")] != nil
            #expect(used)
            #expect(tokens.count <= 100)
        }
        let first = tokens[.init(text: "token 1")] == nil
        #expect(first)
    }

    @Test func `Only the same bytes are the same token`() {
        var tokens = VerifiedTokens()
        tokens.insert(entry(), for: .init(text: "Bearer K"))
        // U+212A, the Kelvin sign, equals K in Unicode's eyes.
        let kelvin = tokens[.init(text: "Bearer \u{212A}")] != nil
        let same = tokens[.init(text: "Bearer " + ["K"].joined())] != nil
        #expect(!kelvin && same)
    }
}
