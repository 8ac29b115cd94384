import JSON

extension JSONObject {
    /// What we sealed ourselves, opened again.
    init(stored bytes: [UInt8]) throws(JSONError) {
        guard case .object(let object) = try JSONValue.parse(bytes) else { throw .member("") }
        self = object
    }
}

extension Personal {
    init(stored bytes: [UInt8]) throws(JSONError) { try self.init(data: JSONObject(stored: bytes)) }
}

extension Findings {
    init(stored bytes: [UInt8]) throws(JSONError) { try self.init(data: JSONObject(stored: bytes)) }
}
