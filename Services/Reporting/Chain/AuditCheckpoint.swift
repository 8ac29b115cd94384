import Access
import Cryptography
import JSON
import Primitives

/// How far a chain had come at a time, signed: what is kept where nobody who can write the chain can reach.
struct AuditCheckpoint: Equatable, Sendable, JSONWritable {
    let tenant: TenantID
    let size: Int64
    let head: [UInt8]
    let at: Timestamp
    let keyID: String
    let signature: [UInt8]

    init(tenant: TenantID, size: Int64, head: [UInt8], at: Timestamp, key: SigningKey) throws {
        self.tenant = tenant
        self.size = size
        self.head = head
        self.at = at
        keyID = key.verifying.id
        signature = try key.sign(Self.message(tenant, size, head, at))
    }

    init(tenant: TenantID, size: Int64, head: [UInt8], at: Timestamp, keyID: String, signature: [UInt8]) {
        self.tenant = tenant
        self.size = size
        self.head = head
        self.at = at
        self.keyID = keyID
        self.signature = signature
    }

    /// Reads one line of a checkpoint file; nil when it is none.
    init?(line: [UInt8]) {
        guard case .object(let data)? = try? JSONValue.parse(line) else { return nil }
        do {
            tenant = try data.required("tenant")
            size = try data.required("size")
            guard let head = Base64URL.decode(try data.required("head", as: String.self).utf8),
                let signature = Base64URL.decode(try data.required("signature", as: String.self).utf8)
            else { return nil }
            self.head = head
            self.signature = signature
            at = try data.required("at")
            keyID = try data.required("kid")
        } catch { return nil }
    }

    /// Whether the key that it names is one of `keys` and made this signature.
    func isSigned(by keys: KeySet) -> Bool {
        guard let key = keys[keyID] else { return false }
        return key.verify(signature, of: Self.message(tenant, size, head, at))
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tenant", tenant)
            $0.field("size", size)
            $0.field("head", Base64URL.encode(head))
            $0.field("at", at)
            $0.field("alg", "ES256")
            $0.field("kid", keyID)
            $0.field("signature", Base64URL.encode(signature))
        }
    }

    private static func message(_ tenant: TenantID, _ size: Int64, _ head: [UInt8], _ at: Timestamp) -> [UInt8] {
        Array("polyclinic audit checkpoint v1\n\(tenant)\n\(size)\n\(Base64URL.encode(head))\n\(at)".utf8)
    }
}
