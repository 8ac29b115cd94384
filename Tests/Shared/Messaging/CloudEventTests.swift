import JSON
import Messaging
import Primitives
import Testing

struct CloudEventTests {
    private let envelope = Envelope(
        id: EventID(), name: "test.thing.happened.v1", tenant: TenantID(), subject: "s", revision: 3,
        occurredAt: Timestamp(microseconds: 1_795_147_200_000_000), actor: AccountID(), traceparent: Traceparent.fresh())

    @Test func `What is written is read back`() throws {
        let bytes = CloudEvent.encode(envelope, source: "test", data: Array(#"{"a":1}"#.utf8))
        let event = try CloudEvent(bytes)
        #expect(event.envelope.id == envelope.id)
        #expect(event.envelope.tenant == envelope.tenant)
        #expect(event.envelope.actor == envelope.actor)
        #expect(event.envelope.revision == 3)
        #expect(event.envelope.occurredAt == envelope.occurredAt)
        #expect(event.envelope.traceparent == envelope.traceparent)
        #expect(event.data == JSONObject([("a", .int(1))]))
    }

    @Test func `Attribute names are the standard's, extensions lower case`() throws {
        let bytes = CloudEvent.encode(envelope, source: "test", data: Array("{}".utf8))
        guard case .object(let object) = try JSONValue.parse(bytes) else {
            Issue.record("no object")
            return
        }
        #expect(
            object.members.map(\.name) == [
                "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "traceparent", "tenantid",
                "revision", "actor", "data",
            ])
        #expect(object["source"] == .string("/polyclinic/test"))
    }

    @Test(arguments: ["specversion", "id", "type", "subject", "time", "tenantid", "data"])
    func `Without a required attribute it is no event`(_ name: String) throws {
        guard case .object(var object) = try JSONValue.parse(
            CloudEvent.encode(envelope, source: "test", data: Array("{}".utf8)))
        else { return }
        object[name] = nil
        #expect(throws: CloudEvent.Malformed.attribute(name)) { try CloudEvent(object.jsonBytes) }
        object[name] = .array([])
        #expect(throws: CloudEvent.Malformed.attribute(name)) { try CloudEvent(object.jsonBytes) }
    }

    @Test(arguments: ["", "{", "[]", "null", #"{"specversion":"1.0","specversion":"1.0"}"#, "\u{1}"])
    func `Other bytes are refused and kill nobody`(_ text: String) {
        #expect(throws: CloudEvent.Malformed.self) { try CloudEvent(Array(text.utf8)) }
    }

    @Test func `A child stays in its parent's trace`() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let child = Traceparent.child(of: parent)
        #expect(Traceparent.isValid(child))
        #expect(child.prefix(35) == parent.prefix(35))
        #expect(child != parent)
        #expect(Traceparent.isValid(Traceparent.child(of: "nonsense")))
        #expect(!Traceparent.isValid("00-00000000000000000000000000000000-b7ad6b7169203331-01"))
    }
}
