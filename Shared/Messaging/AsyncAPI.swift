import JSON
import Primitives

/// The AsyncAPI 3 description of what can be heard on the exchange: for people and for workers of any language.
package enum AsyncAPI {
    package struct Entry: Sendable {
        let name: EventName
        let summary: String
        let optional: [String]
        /// JSON with every member there can be.
        let sample: [UInt8]
        package init(name: EventName, summary: String, optional: [String], sample: [UInt8]) {
            self.name = name
            self.summary = summary
            self.optional = optional
            self.sample = sample
        }
    }

    package static func document(_ entries: [Entry], settings: MessagingSettings = MessagingSettings()) -> [UInt8] {
        var json = JSONWriter(reserving: 65_536)
        json.object {
            $0.field("asyncapi", "3.0.0")
            $0.object("info") {
                $0.field("title", "Polyclinic events")
                $0.field("version", "1.0.0")
                $0.field("description", description(settings))
                $0.object("license") { $0.field("name", "MIT") }
            }
            $0.field("defaultContentType", CloudEvent.contentType)
            $0.object("servers") {
                $0.object("broker") {
                    $0.field("host", "localhost:8114")
                    $0.field("protocol", "amqp")
                    $0.field("description", "RabbitMQ; in the local stack at POLYCLINIC_PORT_BASE + 34")
                }
            }
            $0.object("channels") { for entry in entries { channel(entry, settings, &$0) } }
            $0.object("operations") { for entry in entries { operation(entry, &$0) } }
            $0.object("components") {
                $0.object("messages") { for entry in entries { message(entry, &$0) } }
                $0.object("schemas") { json in
                    for entry in entries {
                        json.key(entry.name.text)
                        schema(of: entry, &json)
                    }
                }
            }
        }
        return json.bytes
    }

    private static func description(_ settings: MessagingSettings) -> String {
        """
        Facts that Polyclinic's services announce. Every message is a CloudEvent 1.0 in structured JSON on the durable \
        topic exchange `\(settings.exchange)`; its routing key is its type. To react in any language: declare a \
        durable quorum queue named `<you>.<what-you-do>`, bind it to the types you want, acknowledge after your effect is \
        committed, and remember the ids you have handled, because a message may arrive more than once. Order holds per \
        subject as long as nothing fails; `revision` tells old from new. Within a version, members are only added, so \
        ignore what you do not know. Payloads hold ids, times, amounts and reasons: never a patient's name or diagnosis.
        """
    }

    private static func channel(_ entry: Entry, _ settings: MessagingSettings, _ json: inout JSONWriter) {
        json.object(entry.name.text) {
            $0.field("address", entry.name.text)
            $0.object("messages") { $0.object("event") { $0.field("$ref", "#/components/messages/\(entry.name)") } }
            $0.object("bindings") {
                $0.object("amqp") {
                    $0.field("is", "routingKey")
                    $0.object("exchange") {
                        $0.field("name", settings.exchange)
                        $0.field("type", "topic")
                        $0.field("durable", true)
                        $0.field("autoDelete", false)
                    }
                    $0.field("bindingVersion", "0.3.0")
                }
            }
        }
    }

    private static func operation(_ entry: Entry, _ json: inout JSONWriter) {
        json.object("announce.\(entry.name)") {
            $0.field("action", "send")
            $0.object("channel") { $0.field("$ref", "#/channels/\(entry.name)") }
            $0.field("summary", entry.summary)
            $0.array("tags", [entry.name.service]) { json, name in json.object { $0.field("name", name) } }
        }
    }

    private static func message(_ entry: Entry, _ json: inout JSONWriter) {
        json.object(entry.name.text) {
            $0.field("name", entry.name.text)
            $0.field("summary", entry.summary)
            $0.field("contentType", CloudEvent.contentType)
            $0.object("payload") { envelope(entry, &$0) }
            $0.array("examples", [entry.sample]) { json, sample in
                json.object {
                    $0.object("payload") {
                        $0.field("type", entry.name.text)
                        $0.key("data")
                        $0.raw(sample)
                    }
                }
            }
        }
    }

    private static func envelope(_ entry: Entry, _ json: inout JSONWriter) {
        func text(_ format: String?) -> (inout JSONWriter) -> Void {
            { json in
                json.field("type", "string")
                json.field("format", format)
            }
        }
        json.field("type", "object")
        json.array(
            "required", ["specversion", "id", "source", "type", "subject", "time", "tenantid", "revision", "data"]
        ) { $0.string($1) }
        json.key("properties")
        json.object { inner in
            func put(_ name: String, _ write: (inout JSONWriter) -> Void) { inner.object(name) { write(&$0) } }
            put("specversion") { $0.field("const", "1.0") }
            put("id") {
                text("uuid")(&$0)
                $0.field("description", "The event's identity: the same on every delivery.")
            }
            put("source") { text("uri-reference")(&$0) }
            put("type") { $0.field("const", entry.name.text) }
            put("subject") {
                text(nil)(&$0)
                $0.field("description", "The id of what the fact is about.")
            }
            put("time") { text("date-time")(&$0) }
            put("datacontenttype") { $0.field("const", "application/json") }
            put("traceparent") {
                text(nil)(&$0)
                $0.field("description", "W3C Trace Context.")
            }
            put("tenantid") { text("uuid")(&$0) }
            put("revision") {
                $0.field("type", "integer")
                $0.field("minimum", 0)
                $0.field("description", "Version of the subject after the change; 0 where nothing is versioned.")
            }
            put("actor") {
                text("uuid")(&$0)
                $0.field("description", "The account behind it, if there is one.")
            }
            put("data") { $0.field("$ref", "#/components/schemas/\(entry.name)") }
        }
    }

    // MARK: the payload, told from its sample

    private static func schema(of entry: Entry, _ json: inout JSONWriter) {
        guard case .object(let sample)? = try? JSONValue.parse(entry.sample) else { return json.object { _ in } }
        object(sample, optional: entry.optional, &json)
    }

    private static func object(_ sample: JSONObject, optional: [String], _ json: inout JSONWriter) {
        json.object {
            $0.field("type", "object")
            let required = sample.members.map(\.name).filter { !optional.contains($0) }
            $0.array("required", required) { $0.string($1) }
            $0.object("properties") { json in
                for member in sample.members {
                    json.key(member.name)
                    value(member.value, isFree: optional.contains(member.name), &json)
                }
            }
        }
    }

    private static func value(_ sample: JSONValue, isFree: Bool, _ json: inout JSONWriter) {
        switch sample {
        case .string(let text):
            json.object {
                $0.field("type", "string")
                $0.field("format", format(text))
            }
        case .int: json.object { $0.field("type", "integer") }
        case .double: json.object { $0.field("type", "number") }
        case .bool: json.object { $0.field("type", "boolean") }
        case .null: json.object { _ in }
        case .array(let values):
            json.object {
                $0.field("type", "array")
                if let first = values.first {
                    $0.key("items")
                    value(first, isFree: false, &$0)
                }
            }
        // An optional object (an audit entry's before and after) has members of its announcer's choice.
        case .object where isFree: json.object { $0.field("type", "object") }
        case .object(let object): self.object(object, optional: [], &json)
        }
    }

    private static func format(_ text: String) -> String? {
        if ID<Never>(text) != nil { return "uuid" }
        if Timestamp(text) != nil { return "date-time" }
        return LocalDate(text) != nil ? "date" : nil
    }
}
