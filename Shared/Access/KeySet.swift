import Cryptography
import JSON

/// The pinned public keys (RFC 7517). A token's `kid` only chooses among these; nothing in a token adds one.
package struct KeySet: Sendable {
    private let keys: [String: VerifyingKey]

    package init(_ keys: [VerifyingKey]) {
        self.keys = Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Reads a JWKS document. Keys of other kinds and uses are left out; a `kid` that is not the key's thumbprint, or
    /// a document without a usable key, is refused: we wrote it, so it is damaged.
    package init(jwks document: [UInt8]) throws(KeySetError) {
        guard let listed = try? JSONObject(json: JSONValue.parse(document, maxDepth: 8))?.required("keys", as: [JSONObject].self) else {
            throw .malformed
        }
        var keys: [VerifyingKey] = []
        for jwk in listed where jwk["kty"] == .string("EC") && jwk["crv"] == .string("P-256") {
            guard jwk["use"] ?? .string("sig") == .string("sig"), jwk["alg"] ?? .string("ES256") == .string("ES256")
            else { continue }
            guard case .string(let x)? = jwk["x"], case .string(let y)? = jwk["y"], let key = VerifyingKey(x: x, y: y),
                jwk["kid"] ?? .string(key.id) == .string(key.id)
            else { throw .malformed }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw .noKey }
        self.init(keys)
    }

    package subscript(_ id: String) -> VerifyingKey? { keys[id] }

    package var count: Int { keys.count }
    package var ids: Set<String> { Set(keys.keys) }
    package var all: [VerifyingKey] { keys.values.sorted { $0.id < $1.id } }
}

package enum KeySetError: Error, Equatable { case malformed, noKey }

extension KeySet: JSONWritable {
    /// The document of `/.well-known/jwks.json`.
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.array("keys", keys.values.sorted { $0.id < $1.id }) { json, key in
                json.object {
                    $0.field("kty", "EC")
                    $0.field("crv", "P-256")
                    $0.field("use", "sig")
                    $0.field("alg", "ES256")
                    $0.field("kid", key.id)
                    $0.field("x", key.x)
                    $0.field("y", key.y)
                }
            }
        }
    }
}
