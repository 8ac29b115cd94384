import JSON

extension Schema {
    /// This schema in the words of JSON Schema 2020-12, which OpenAPI 3.1 speaks.
    func document(note: String? = nil) -> JSONObject {
        var members = words
        if let note { members.append(("description", .string(note))) }
        return JSONObject(members.map { (name: $0.0, value: $0.1) })
    }

    private var words: [(String, JSONValue)] {
        switch self {
        case .text(let min, let max):
            [("type", "string"), ("minLength", .int(Int64(min))), ("maxLength", .int(Int64(max)))]
        case .integer(let range):
            [("type", "integer"), ("minimum", .int(range.lowerBound)), ("maximum", .int(range.upperBound))]
        case .number(let range):
            [("type", "number"), ("minimum", .double(range.lowerBound)), ("maximum", .double(range.upperBound))]
        case .boolean: [("type", "boolean")]
        case .id: [("type", "string"), ("format", "uuid")]
        case .date: [("type", "string"), ("format", "date")]
        case .time: [("type", "string"), ("pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
        case .instant: [("type", "string"), ("format", "date-time")]
        case .money(let range): Self.money(range)
        case .choice(let words): [("type", "string"), ("enum", .array(words.map { .string($0) }))]
        case .list(let element, let min, let max):
            [
                ("type", "array"), ("items", .object(element.document())), ("minItems", .int(Int64(min))),
                ("maxItems", .int(Int64(max))),
            ]
        case .object(let fields): Self.object(fields)
        case .nullable(let schema): [("anyOf", .array([.object(schema.document()), .object(["type": "null"])]))]
        case .any: []
        }
    }

    private static func money(_ range: ClosedRange<Int64>) -> [(String, JSONValue)] {
        let amount: JSONObject = [
            "type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound),
            "description": "In minor units, such as paise or cents.",
        ]
        let currency: JSONObject = ["type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."]
        return [
            ("type", "object"), ("properties", .object(["amount": .object(amount), "currency": .object(currency)])),
            ("required", ["amount", "currency"]), ("additionalProperties", false),
        ]
    }

    private static func object(_ fields: [Field]) -> [(String, JSONValue)] {
        let properties = fields.map { (name: $0.name, value: JSONValue.object($0.schema.document(note: $0.note))) }
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        var words: [(String, JSONValue)] = [("type", "object"), ("properties", .object(JSONObject(properties)))]
        if !required.isEmpty { words.append(("required", .array(required))) }
        return words + [("additionalProperties", false)]
    }
}

// Documents are easier to read as literals; these stay inside Bootstrap.
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
    package init(stringLiteral text: String) { self = .string(text) }
    package init(booleanLiteral flag: Bool) { self = .bool(flag) }
    package init(arrayLiteral values: JSONValue...) { self = .array(values) }
}
extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self.init(members.map { (name: $0.0, value: $0.1) })
    }
}
