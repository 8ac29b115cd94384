import JSON

extension JSONObject {
    /// RFC 7396: null removes a member, an object merges, anything else replaces.
    func merged(with patch: JSONObject) -> JSONObject {
        var result = self
        for (name, value) in patch.members {
            switch value {
            case .null: result[name] = nil
            case .object(let inner):
                let current = JSONObject(json: result[name] ?? .null) ?? JSONObject()
                result[name] = .object(current.merged(with: inner))
            default: result[name] = value
            }
        }
        return result
    }
}
