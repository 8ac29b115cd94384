extension Schema {
    /// This schema as JSON Schema 2020-12, the dialect of OpenAPI 3.1.
    package func openAPI(to json: inout JSONWriter) {
        json.object { writeKeywords(to: &$0, note: nil) }
    }

    private func writeKeywords(to json: inout JSONWriter, note: String?) {
        switch self {
        case .text(let min, let max):
            json.field("type", "string")
            json.field("minLength", min)
            json.field("maxLength", max)
        case .integer(let range):
            json.field("type", "integer")
            json.field("format", "int64")
            json.field("minimum", range.lowerBound)
            json.field("maximum", range.upperBound)
        case .number(let range):
            json.field("type", "number")
            if range.lowerBound.isFinite { json.field("minimum", range.lowerBound) }
            if range.upperBound.isFinite { json.field("maximum", range.upperBound) }
        case .boolean: json.field("type", "boolean")
        case .id: formatted("uuid", &json)
        case .date: formatted("date", &json)
        case .instant: formatted("date-time", &json)
        case .time:
            json.field("type", "string")
            json.field("pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$")
        case .money(let range):
            Schema.object([
                .required("amount", .integer(range), "Minor units"),
                .required("currency", .text(min: 3, max: 3), "ISO 4217"),
            ]).writeKeywords(to: &json, note: nil)
        case .choice(let words):
            json.field("type", "string")
            json.field("enum", words)
        case .list(of: let element, let min, let max):
            json.field("type", "array")
            json.key("items")
            element.openAPI(to: &json)
            json.field("minItems", min)
            json.field("maxItems", max)
        case .object(let fields): Schema.write(fields, to: &json)
        case .nullable(let inner):
            json.key("anyOf")
            json.array(of: [inner, nil]) { json, option in
                if let option { option.openAPI(to: &json) } else { json.object { $0.field("type", "null") } }
            }
        case .any: break
        }
        json.field("description", note)
    }

    private func formatted(_ format: String, _ json: inout JSONWriter) {
        json.field("type", "string")
        json.field("format", format)
    }

    private static func write(_ fields: [Field], to json: inout JSONWriter) {
        json.field("type", "object")
        json.object("properties") { json in
            for field in fields {
                json.key(field.name)
                json.object {
                    field.schema.writeKeywords(to: &$0, note: field.note)
                    if let readers = field.readers { $0.field("x-readers", readers.sorted()) }
                }
            }
        }
        // What some readers are not answered cannot be promised to all.
        let required = fields.filter { $0.isRequired && $0.readers == nil }.map(\.name)
        if !required.isEmpty { json.field("required", required) }
        json.field("additionalProperties", false)
    }
}
