import HTTP
import JSON
extension Schema {
    static func query(_ fields: [Schema.Field], of text: String) throws -> JSONObject { JSONObject() }
    func body(of bytes: [UInt8]) throws -> JSONObject { JSONObject() }
}
extension Response {
    static func problem(_ problem: Problem, traceID: String) -> Response { Response(problem.status) }
}
