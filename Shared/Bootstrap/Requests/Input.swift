import Access
import HTTP
import JSON

extension Route {
    /// Fills `query` and `body` with what this route's schemas accept, or throws every wrong field at once.
    func readInput(of request: inout Request) throws(Problem) {
        if docs.isForm { return }
        let (query, queryErrors) = Schema.query(docs.query, from: request.queryString)
        request.query = query
        var errors = queryErrors
        // A route without a body takes an empty object all the same: some clients always send one.
        let schema = docs.body ?? .object([])
        if docs.body != nil || !request.bytes.isEmpty {
            let value = try Self.parse(request.bytes)
            errors += schema.check(value)
            if case .object(let object) = value { request.body = object }
        }
        if !errors.isEmpty { throw .invalid(errors) }
    }

    /// No bytes are an empty object: then each required member is reported by name.
    private static func parse(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        guard !bytes.isEmpty else { return .object(JSONObject()) }
        do { return try JSONValue.parse(bytes) } catch {
            switch error {
            case .malformed(let reason, let offset):
                throw Problem(
                    400, "malformed_json", "The body is not JSON that we accept: \(reason), at byte \(offset).")
            case .member: throw Problem(400, "malformed_json", "The body is not JSON that we accept.")
            }
        }
    }
}
