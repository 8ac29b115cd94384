import JSON
import Primitives

/// What a record said until somebody changed it. The present version is the record itself.
struct FormerVersion: JSONWritable, Sendable {
    let version: Int
    let replacedBy: AccountID
    let replacedAt: Timestamp
    /// `{"changed": […], "record": {…}}`, as it was sealed.
    let body: [UInt8]

    /// What is sealed: the record as it was, and which of its fields the change was about.
    static func body(_ record: some JSONWritable, changed: [String]) -> [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("changed", changed)
            $0.field("record", record)
        }
        return json.bytes
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("version", version)
            $0.field("replacedBy", replacedBy)
            $0.field("replacedAt", replacedAt)
            $0.raw(body.dropFirst().dropLast())
        }
    }

    static func schema(of record: Schema) -> Schema {
        .object([
            .required("version", .integer(1...Int64(Int32.max))), .required("replacedBy", .id), .required("replacedAt", .instant),
            .required("changed", .list(of: .text(max: 100), max: 100), "Which fields the next version has otherwise"),
            .required("record", record, "As it was"),
        ])
    }
}

/// What a version of a patient's record keeps: what the desk and those who treat may change.
struct FormerPatient: JSONWritable {
    let patient: Patient

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("active", patient.active)
            $0.raw(patient.personal.jsonBytes.dropFirst().dropLast())
        }
    }

    static let schema = Schema.object([.required("active", .boolean)] + .personal)
}

struct FormerVisit: JSONWritable {
    let visit: Visit

    func write(to json: inout JSONWriter) {
        json.object {
            visit.findings.writeMembers(to: &$0)
            $0.field("vitals", visit.vitals)
        }
    }
}
