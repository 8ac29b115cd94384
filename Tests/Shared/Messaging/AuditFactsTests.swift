import JSON
@testable import Messaging
import Primitives
import Testing

struct AuditFactsTests {
    @Test func `What is written of an audit entry is read again`() throws {
        let before = JSONObject([("status", .string("booked"))])
        let written = AuditRecorded(
            service: "s", action: "a", resource: "r", resourceID: "i", role: "doctor", allowed: false, before: before, after: nil,
            patientID: PatientID(), purpose: "TREAT")
        guard case .object(let data) = try JSONValue.parse(written.jsonBytes) else {
            Issue.record("no object")
            return
        }
        let read = try AuditRecorded(data: data)
        #expect(read.jsonBytes == written.jsonBytes)
        #expect(read.before == before)
        #expect(!read.allowed)
    }

    @Test func `What the log of reads writes is read again`() throws {
        let cause = Cause(
            tenant: TenantID(), actor: AccountID(), role: "doctor", traceparent: Traceparent.fresh(), purpose: "TREAT")
        let entry = AccessLog.Entry(
            "read", "visit", "v", of: PatientID(), allowed: true, after: JSONObject([("ground", .string("care"))]),
            cause: cause, at: Timestamp.now())
        guard case .object(let data) = try JSONValue.parse(Array(AccessLog.data([entry], of: "clinical").utf8)) else {
            Issue.record("no object")
            return
        }
        let read = try AccessRecorded(data: data)
        #expect(String(decoding: read.jsonBytes, as: UTF8.self) == AccessLog.data([entry], of: "clinical"))
        #expect(read.entries.first?.actorID == cause.actor)
        #expect(read.entries.first?.purpose == "TREAT")
    }
}
