import JSON
import Primitives

/// The token as staff read it. Position and wait are there while it waits.
struct TokenView: JSONWritable {
    let token: Token
    var position: Int? = nil
    var estimatedWaitMinutes: Int? = nil
    var room: String? = nil
    var presence: Presence.Status? = nil

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", token.id)
            $0.field("number", token.number)
            $0.field("status", token.status.rawValue)
            $0.field("providerId", token.provider)
            $0.field("patientId", token.patient)
            $0.field("appointmentId", token.appointment)
            $0.field("locationId", token.location)
            $0.field("date", token.localDate)
            $0.field("priority", token.priority.rawValue)
            $0.field("position", position)
            $0.field("estimatedWaitMinutes", estimatedWaitMinutes)
            $0.field("room", room)
            $0.field("presence", presence?.rawValue)
            $0.field("issuedAt", token.issuedAt)
            $0.field("calledAt", token.calledAt)
            $0.field("completedAt", token.completedAt)
            $0.field("version", token.version)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("number", .text(max: 12)),
        .required("status", .choice(Token.Status.allCases.map(\.rawValue))), .required("providerId", .id),
        .required("patientId", .id), .optional("appointmentId", .id), .required("locationId", .id),
        .required("date", .date), .required("priority", .choice(Priority.allCases.map(\.rawValue))),
        .optional("position", .integer(1...1_000_000), "1 is next; only while waiting"),
        .optional("estimatedWaitMinutes", .integer(0...10_000)), .optional("room", .text(max: 20)),
        .optional("presence", .choice(Presence.Status.allCases.map(\.rawValue)), "the practitioner's, on a board, once said"),
        .required("issuedAt", .instant), .optional("calledAt", .instant), .optional("completedAt", .instant),
        .required("version", .integer(1...Int64.max)),
    ])
}

extension Token {
    /// What the audit trail keeps of it.
    var trace: JSONObject {
        JSONObject([
            ("status", .string(status.rawValue)), ("number", .string(number)), ("patientId", .string("\(patient)")),
            ("providerId", .string("\(provider)")),
        ])
    }

    /// The same of an arrival: whoever gave it, knowing that nobody is there, is answerable.
    func trace(whileAway isAway: Bool) -> JSONObject {
        var trace = trace
        if isAway { trace["providerOffline"] = .bool(true) }
        return trace
    }
}
