import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct PipelineTests {
    @Test func `An unknown path is 404 and a known path with another method is 405 with Allow`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let missing = try await host.send("GET", "/v1/nothing")
                #expect((missing.status, missing.code) == (404, "not_found"))
                #expect(missing.header("Content-Type") == "application/problem+json")
                let wrong = try await host.send("DELETE", "/v1/things")
                #expect((wrong.status, wrong.code) == (405, "method_not_allowed"))
                #expect(wrong.header("Allow") == "GET, HEAD, POST")
            }
        }
    }

    @Test func `A body that does not say it is JSON is 415`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let token = try host.token(.pharmacist)
                for type in [
                    "text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                    "application/merge-patch+json",
                ] {
                    let answer = await host.send(
                        "POST", "/v1/things", bytes: Array("{}".utf8), bearer: token,
                        headers: [("content-type", type)])
                    #expect((answer.status, answer.code) == (415, "unsupported_media_type"), "\(type)")
                }
                let fine = await host.send(
                    "POST", "/v1/things", bytes: Array(#"{"name":"x"}"#.utf8), bearer: token,
                    headers: [("content-type", "Application/JSON ; charset=utf-8")])
                #expect(fine.status == 201)
            }
        }
    }

    @Test func `Without a valid token nothing is said but 401`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let none = try await host.send("GET", "/v1/things/1")
                #expect((none.status, none.code) == (401, "token_missing"))
                #expect(none.header("WWW-Authenticate") != nil)
                let forged = await host.send("POST", "/v1/things", bytes: Array("{".utf8), bearer: "a.b.c")
                #expect((forged.status, forged.code) == (401, "token_invalid"))
                let old = try host.token(.nurse)
                host.clock.advance(seconds: 3600)
                let expired = await host.send("GET", "/v1/things/1", bytes: [], bearer: old)
                #expect((expired.status, expired.code) == (401, "token_expired"))
            }
        }
    }

    @Test func `What a role may not do is 403 and leaves an audit entry`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let answer = try await host.send("POST", "/v1/things", body: ["name": "x"], as: .doctor)
                #expect((answer.status, answer.code) == (403, "forbidden"))
                let own = try await host.send("POST", "/v1/failures/own-403", as: .doctor)
                #expect(own.status == 403)
                let entries = try await host.audited()
                #expect(entries.count == 2)
                #expect(entries.first?["action"] == "POST /v1/things")
                #expect(entries.first?["allowed"] == false)
                #expect(entries.first?["role"] == "doctor")
                #expect(entries.first?["service"] == "toy")
            }
        }
    }

    @Test func `An account that asks too much at once is told to wait, and nobody else is`() async throws {
        try await onLoop {
            try await Toy.with(["ACCOUNT_RATE": "1"]) { host in
                var answers: [TestHost.Answer] = []
                for _ in 0..<10 { answers.append(try await host.send("GET", "/v1/things?kind=a", as: .nurse)) }
                #expect(answers.prefix(2).map(\.status) == [200, 200])
                let refused = answers.first { $0.status == 429 }
                #expect(refused?.code == "too_many_requests")
                #expect(refused?.header("Retry-After") == "1")
                #expect(try await host.send("GET", "/v1/things?kind=a", as: .doctor).status == 200)
            }
        }
    }

    @Test func `Every wrong field is reported at once, and unknown ones are refused`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let body: JSONObject = ["count": .int(9), "more": true]
                let wrong = try await host.send("POST", "/v1/things", body: body, as: .pharmacist)
                #expect((wrong.status, wrong.code) == (400, "invalid_request"))
                #expect(Set(wrong.pointers) == ["/name", "/count", "/more"])
                let empty = try await host.send("POST", "/v1/things", as: .pharmacist)
                #expect((empty.status, empty.pointers) == (400, ["/name"]))
                let list = await host.send(
                    "POST", "/v1/things", bytes: Array("[]".utf8), bearer: try host.token(.pharmacist))
                #expect((list.status, list.code) == (400, "invalid_request"))
                let query = try await host.send("GET", "/v1/things?limit=0&kind=c&other=1", as: .nurse)
                #expect((query.status, query.code) == (400, "invalid_request"))
                #expect(query.pointers.count == 3)
                let fine = try await host.send("GET", "/v1/things?limit=7&kind=b", as: .nurse)
                #expect(fine.json == ["limit": .int(7), "kind": "b"])
            }
        }
    }

    @Test func `A body that is no JSON is 400 malformed_json and never repeated`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let token = try host.token(.pharmacist)
                for text in [
                    #"{"name":"#, #"{"name":"x"} trailing"#, #"{"name":"a","name":"b"}"#, "\u{0}",
                    #"{"name":"\u0000"}"#,
                ] {
                    let answer = await host.send("POST", "/v1/things", bytes: Array(text.utf8), bearer: token)
                    #expect((answer.status, answer.code) == (400, "malformed_json"), "\(text)")
                    #expect(!String(decoding: answer.bytes, as: UTF8.self).contains("trailing"))
                }
            }
        }
    }

    @Test func `Refusals of a rule are what they say, and every other error is a constant 500`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let expected: [(String, Int, String)] = [
                    ("unlucky", 422, "unlucky"), ("secret", 500, "internal_error"), ("sql", 500, "internal_error"),
                    ("money", 500, "internal_error"), ("member", 500, "internal_error"),
                    ("unavailable", 503, "unavailable"),
                    ("full", 503, "unavailable"),
                ]
                for (kind, status, code) in expected {
                    let answer = try await host.send("POST", "/v1/failures/\(kind)", as: .nurse)
                    #expect((answer.status, answer.code) == (status, code), "\(kind)")
                    let text = String(decoding: answer.bytes, as: UTF8.self)
                    for word in ["Jane", "nowhere", "10.0.0.1", "Secretive", "outOfRange", "postgres"] {
                        #expect(!text.contains(word), "\(kind) leaks \(word)")
                    }
                    if status == 503 { #expect(answer.header("Retry-After") == "1") }
                }
            }
        }
    }

    @Test func `Answers say that they are not to be guessed at, cached or traced in vain`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let guarded = try await host.send("GET", "/v1/things/\(TenantID())", as: .nurse)
                #expect(guarded.header("Cache-Control") == "no-store")
                #expect(guarded.header("X-Content-Type-Options") == "nosniff")
                #expect(guarded.header("traceparent")?.count == 55)
                let open = try await host.send("GET", "/v1/hello")
                #expect(open.status == 200)
                #expect(open.header("Cache-Control") == nil)
                let problem = try await host.send("GET", "/v1/nothing")
                let trace = try problem.json.required("traceId", as: String.self)
                #expect(problem.header("traceparent")?.contains(trace) == true)
            }
        }
    }

    @Test func `An identifier that cannot exist is 404, and a change without If-Match is 428`() async throws {
        try await onLoop {
            try await Toy.with { host in
                #expect(try await host.send("GET", "/v1/things/7", as: .nurse).status == 404)
                #expect(try await host.send("GET", "/v1/things/%2e%00", as: .nurse).code == "malformed_path")
                let id = TenantID()
                let missing = try await host.send("PATCH", "/v1/things/\(id)", body: ["name": "y"], as: .pharmacist)
                #expect(missing.status == 428)
                let merge = await host.send(
                    "PATCH", "/v1/things/\(id)", bytes: Array(#"{"name":"y"}"#.utf8),
                    bearer: try host.token(.pharmacist),
                    headers: [("content-type", "application/merge-patch+json"), ("if-match", "\"1\"")])
                #expect(merge.status == 204)
            }
        }
    }

    @Test func `A withdrawn token is refused as soon as this service knows`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let token = try host.token(.nurse)
                #expect(await host.send("GET", "/v1/things?kind=a", bytes: [], bearer: token).status == 200)
                let later = host.clock.now.adding(seconds: 1)
                try await host.host.db.transaction(for: host.tenant) { tx in
                    tx.revokeTokens(of: host.account(.nurse), tenant: host.tenant, before: later)
                }
                try await host.host.startAndWait()
                let answer = await host.send("GET", "/v1/things?kind=a", bytes: [], bearer: token)
                #expect((answer.status, answer.code) == (401, "token_revoked"))
                host.clock.advance(seconds: 2)
                #expect(try await host.send("GET", "/v1/things?kind=a", as: .nurse).status == 200)
            }
        }
    }
}
