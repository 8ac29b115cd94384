import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Primitives
import TestSupport
import Testing

@testable import Auth

/// S12 in the large: hundreds of sessions refreshed, doubled and stolen at once.
struct RefreshFamiliesTests {
    /// As many as wait for four connections without being turned away.
    private static let count = 20
    private static let storms = 50

    @Test func `Of a thousand families, a double click keeps one and a stolen token ends one`() async throws {
        try await Clinic.with { clinic in
            for _ in 0..<Self.storms { try await storm(clinic) }
            let ended = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(ended.count == Self.storms * Self.count / 2)
            #expect(ended.allSatisfy { $0.data["reason"] == .string("token_reused") })
        }
    }

    @LoopActor private func storm(_ clinic: Clinic) async throws {
        let first = try await clinic.families(Self.count)
        // Everybody clicks twice at once: both are told the same next token.
        let doubled = try await together(
            first.flatMap { token in
                let click: @LoopActor @Sendable () async throws -> TestHost.Answer = { await clinic.refreshPatiently(token.text) }
                return [click, click]
            })
        #expect(doubled.allSatisfy { $0.status == 200 })
        let second = try doubled.map { try $0.json.required("refreshToken", as: String.self) }
        for index in 0..<Self.count { #expect(second[2 * index] == second[2 * index + 1]) }
        #expect(Set(second).count == Self.count)

        let third = try await together(
            stride(from: 0, to: second.count, by: 2).map { index in
                { try await clinic.refreshPatiently(second[index]).json.required("refreshToken", as: String.self) }
            })
        #expect(Set(third).count == Self.count)
        clinic.host.clock.advance(seconds: 1)
        // A thief has the first token of every other family, and comes while the owners go on.
        let answers = try await together(
            (0..<Self.count).map { index in
                { await clinic.refreshPatiently(index.isMultiple(of: 2) ? first[index].text : third[index]) }
            })
        for (index, answer) in answers.enumerated() {
            #expect(index.isMultiple(of: 2) ? answer.code == "token_reused" : answer.status == 200)
        }
        // What was stolen from is over for owner and thief; nobody else's is.
        let after = try await together(
            (0..<Self.count).map { index in
                let mine = index.isMultiple(of: 2) ? third[index] : (try? answers[index].json.required("refreshToken")) ?? ""
                return { await clinic.refreshPatiently(mine).status }
            })
        for (index, status) in after.enumerated() { #expect(status == (index.isMultiple(of: 2) ? 401 : 200)) }
    }

    @Test func `A double click counts as one for ten seconds, and while the next token is unused`() async throws {
        try await Clinic.with { clinic in
            let tokens = try await clinic.families(2)
            for (token, wait) in [(tokens[0], Int64(9)), (tokens[1], 10)] {
                let next = await clinic.refresh(token.text)
                clinic.host.clock.advance(seconds: wait)
                let again = await clinic.refresh(token.text)
                if wait < 10 {
                    #expect(again.json["refreshToken"] == next.json["refreshToken"])
                } else {
                    #expect(again.code == "token_reused")
                }
            }
        }
    }
}

extension Clinic {
    /// As a client does when the service is too busy to look: the same again.
    func refreshPatiently(_ token: String) async -> TestHost.Answer {
        var answer = await refresh(token)
        for _ in 0..<20 where answer.status == 503 { answer = await refresh(token) }
        return answer
    }

    /// Sessions of the administrator, each with its first token.
    func families(_ count: Int) async throws -> [RefreshToken] {
        let now = host.clock.now
        return try await host.host.transaction(for: admin.tenant, as: .system(admin.tenant)) { tx in
            let store = SessionStore(sql: tx)
            var tokens: [RefreshToken] = []
            for _ in 0..<count {
                let session = Session(
                    id: ID(), account: admin.id, startedAt: now, expiresAt: now.adding(seconds: 3600), endedAt: nil,
                    authenticatedAt: now)
                let token = RefreshToken(tenant: admin.tenant, session: session.id)
                try await store.insert(session)
                try await store.insert(token, at: now)
                tokens.append(token)
            }
            return tokens
        }
    }
}
