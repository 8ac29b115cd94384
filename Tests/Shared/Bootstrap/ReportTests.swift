import Access
import HTTP
import JSON
import Loop
import TestSupport
import Testing

@testable import Bootstrap

@Suite struct ReportTests {
    @LoopActor private static func toy() throws -> Service {
        let config = try ToyConfig(environment: Environment([:], describing: true))
        return Toy.describe(config, Host(config.host)).completed
    }

    @Test func `A service is described without servers and secrets`() async throws {
        let text = try await onLoop { RoutesReport.text(try Self.toy(), .table) }
        #expect(text.contains("POST    /v1/things") && text.contains("Make a thing"))
        let matrix = try await onLoop { RoutesReport.text(try Self.toy(), .matrix) }
        #expect(matrix.contains("dispense | pharmacist"))
        let events = try await onLoop { RoutesReport.text(try Self.toy(), .events) }
        #expect(events.contains("announces  toy.thing.made.v1"))
        #expect(events.contains("reacts to  auth.account.deactivated.v1  as toy.remember-deactivation"))
    }

    @Test func `The OpenAPI document says what the pipeline checks`() async throws {
        let text = try await onLoop { RoutesReport.text(try Self.toy(), .openAPI) }
        guard case .object(let document) = try JSONValue.parse(Array(text.utf8)) else {
            Issue.record("no object")
            return
        }
        #expect(document["openapi"] == "3.1.0")
        let paths: JSONObject = try document.required("paths")
        let things: JSONObject = try paths.required("/v1/things")
        let post: JSONObject = try things.required("post")
        #expect(post["operationId"] == "postV1Things")
        #expect(post["x-permission"] == "dispense")
        let body = String(decoding: post.jsonBytes, as: UTF8.self)
        for word in [
            #""maxLength":40"#, #""required":["name"]"#, #""additionalProperties":false"#, "`name_taken`",
            "Idempotency-Key",
        ] {
            #expect(body.contains(word), "\(word)")
        }
        let item: JSONObject = try paths.required("/v1/things/{id}")
        let patch = String(decoding: (item["patch"] ?? .null).jsonBytes, as: UTF8.self)
        #expect(patch.contains("If-Match") && patch.contains("application/merge-patch+json"))
        let open: JSONObject = try paths.required("/v1/hello", as: JSONObject.self).required("get")
        #expect(open["security"] == [])
    }

    @Test func `Metrics are Prometheus text: every sample under its family, buckets that only grow`() async throws {
        let text = try await onLoop {
            let metrics = RequestMetrics(try Self.toy().routes)
            metrics.record(route: 3, status: 201, microseconds: 900)
            metrics.record(route: 3, status: 201, microseconds: 40_000)
            metrics.record(route: 3, status: 409, microseconds: 99_000_000)
            metrics.record(route: nil, status: 404, microseconds: 10)
            var page = Exposition()
            metrics.write(to: &page)
            ProcessMetrics.write(to: &page)
            return page.text
        }
        let name = "polyclinic_http_request_duration_seconds"
        #expect(text.contains(#"\#(name)_bucket{method="POST",route="/v1/things",status="201",le="0.001"} 1"#))
        #expect(text.contains(#"\#(name)_bucket{method="POST",route="/v1/things",status="201",le="+Inf"} 2"#))
        #expect(text.contains(#"\#(name)_sum{method="POST",route="/v1/things",status="201"} 0.0409"#))
        #expect(text.contains(#"status="409",le="10.0"} 0"#))
        #expect(text.contains(#"route="unmatched""#))
        var family = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") { family = String(line.split(separator: " ")[2]) }
            if !line.hasPrefix("#") { #expect(line.hasPrefix(family), "\(line)") }
        }
        for known in [
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds",
            "process_open_fds",
        ] {
            #expect(text.contains("# TYPE \(known) "))
        }
    }

    @Test func `Label values cannot break out of their quotes`() {
        var page = Exposition()
        page.sample("x", [("a", "say \"hi\"\\\n")], 1)
        #expect(page.text == "x{a=\"say \\\"hi\\\"\\\\\\n\"} 1\n")
    }
}
