import JSON

extension Schema {
    /// This schema as a part of the document.
    var document: JSONObject {
        var json = JSONWriter()
        openAPI(to: &json)
        guard case .object(let object) = try? JSONValue.parse(json.bytes) else { return JSONObject() }
        return object
    }

    func has(_ field: String) -> Bool {
        guard case .object(let fields) = self else { return false }
        return fields.contains { $0.name == field }
    }

    /// What the list under that name is of.
    func element(_ field: String) -> Schema? {
        guard case .object(let fields) = self, case .list(of: let element, min: _, max: _)? = fields.first(where: { $0.name == field })?.schema
        else { return nil }
        return element
    }
}

// Documents are easier to read as literals.
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
    package init(stringLiteral text: String) { self = .string(text) }
    package init(booleanLiteral flag: Bool) { self = .bool(flag) }
    package init(arrayLiteral values: JSONValue...) { self = .array(values) }
}
extension JSONValue: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(JSONObject(members.map { (name: $0.0, value: $0.1) }))
    }
}
extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self.init(members.map { (name: $0.0, value: $0.1) })
    }
}
