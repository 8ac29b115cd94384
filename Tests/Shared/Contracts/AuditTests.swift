import Contracts
import JSON
@testable import Messaging
import Testing

struct AuditTests {
    @Test func `What Messaging writes is what Contracts reads`() throws {
        let before = JSONObject([("status", .string("booked"))])
        let written = AuditEntry(
            service: "s", action: "a", resource: "r", resourceID: "i", role: "doctor", allowed: false, before: before, after: nil)
        #expect(AuditEntry.name == AuditRecorded.name)
        guard case .object(let data) = try JSONValue.parse(written.jsonBytes) else {
            Issue.record("no object")
            return
        }
        let read = try AuditRecorded(data: data)
        #expect(read.jsonBytes == written.jsonBytes)
        #expect(read.before == before)
        #expect(!read.allowed)
    }
}
