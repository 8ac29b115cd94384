import JSON

/// The place where a page ended, as clients carry it back: the last row's sort key and id, opaque to them.
package enum Cursor {
    package static func encode(_ keys: [String]) -> String { Base64.urlEncoded(keys.jsonBytes) }

    /// The keys of a cursor that `encode` made. A cursor is no secret and is not signed, so callers parse each key.
    package static func decode(_ text: String) throws(Problem) -> [String] {
        guard text.utf8.count <= 1024, let bytes = Base64.urlDecoded(text),
            let value = try? JSONValue.parse(bytes, maxDepth: 1), let keys = [String](json: value)
        else {
            throw .invalid("cursor", "invalid_cursor", "Give the nextCursor of an earlier answer, unchanged.")
        }
        return keys
    }
}
