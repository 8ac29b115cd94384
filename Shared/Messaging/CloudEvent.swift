import JSON
import Primitives

/// An event as it travels: CloudEvents 1.0 in structured JSON. Extension names are lower case, as the standard wants.
package struct CloudEvent: Sendable {
    package static let contentType = "application/cloudevents+json"

    package let envelope: Envelope
    package let data: JSONObject

    package enum Malformed: Error, Equatable {
        case notJSON
        /// The attribute is missing, of the wrong kind, or not what we understand.
        case attribute(String)
    }

    /// The bytes to publish. `data` is one JSON value already.
    package static func encode(_ envelope: Envelope, source service: String, data: some Sequence<UInt8>) -> [UInt8] {
        var json = JSONWriter(reserving: 768)
        json.object {
            $0.field("specversion", "1.0")
            $0.field("id", envelope.id)
            $0.field("source", "/polyclinic/\(service)")
            $0.field("type", envelope.name.text)
            $0.field("subject", envelope.subject)
            $0.field("time", envelope.occurredAt)
            $0.field("datacontenttype", "application/json")
            $0.field("traceparent", envelope.traceparent)
            $0.field("tenantid", envelope.tenant)
            $0.field("revision", envelope.revision)
            $0.field("actor", envelope.actor)
            $0.key("data")
            $0.raw(data)
        }
        return json.bytes
    }

    /// Reads what came from the broker. Unknown attributes are ignored, as the standard allows extensions.
    package init(_ bytes: [UInt8]) throws(Malformed) {
        guard let document = try? JSONValue.parse(bytes), case .object(let object) = document else { throw .notJSON }
        guard object["specversion"] == .string("1.0") else { throw .attribute("specversion") }
        func required<T: JSONReadable>(_ name: String) throws(Malformed) -> T {
            guard let value = object[name], let read = T(json: value) else { throw .attribute(name) }
            return read
        }
        func optional<T: JSONReadable>(_ name: String) throws(Malformed) -> T? {
            do throws(JSONError) { return try object.optional(name) } catch { throw .attribute(name) }
        }
        let name: String = try required("type")
        let revision: Int? = try optional("revision")
        let traceparent: String? = try optional("traceparent")
        envelope = Envelope(
            id: try required("id"), name: EventName(name), tenant: try required("tenantid"),
            subject: try required("subject"), revision: revision ?? 0, occurredAt: try required("time"),
            actor: try optional("actor"),
            traceparent: traceparent ?? Traceparent.fresh())
        data = try required("data")
    }
}
