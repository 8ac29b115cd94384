import JSON

extension JSONObject {
    /// What we sealed ourselves, opened again.
    init(stored bytes: [UInt8]) throws {
        fatalError("reader lands with HTTP \(bytes.count)")
    }
}

extension Personal {
    init(stored bytes: [UInt8]) throws { try self.init(data: JSONObject(stored: bytes)) }
}
