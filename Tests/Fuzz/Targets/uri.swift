@testable import HTTP
import JSON
import Primitives

/// Query strings, percent-encoding, the router, and the headers that requests are decided by.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    let choice = input.byte()
    guard let text = input.text else { return 0 }
    switch choice % 4 {
    case 0: query(text)
    case 1: path(text)
    case 2: headers(text)
    default:
        let bytes = input.rest
        must(Base64.urlDecoded(Base64.urlEncoded(bytes)) == bytes, "base64url reads what it wrote")
        if let decoded = Base64.urlDecoded(text) { must(Base64.urlEncoded(decoded) == text, "base64url has one spelling") }
        if let decoded = Base64.decoded(text) { must(Base64.encoded(decoded).utf8.count >= decoded.count, "base64 grows") }
        if let keys = try? Cursor.decode(text) { must((try? Cursor.decode(Cursor.encode(keys))) == keys, "a cursor survives") }
    }
    return 0
}

private let fields: [Schema.Field] = [
    .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)), .required("date", .date),
    .optional("at", .instant), .optional("status", .list(of: .choice(["free", "held"]), max: 3)), .optional("q", .text(min: 2, max: 40)),
    .optional("id", .id), .optional("all", .boolean), .optional("rate", .number(0...100)), .optional("maybe", .nullable(.time)),
    .optional("ids", .list(of: .integer(0...9), min: 1, max: 4)),
]

private func query(_ text: String) {
    let (object, errors) = Schema.query(fields, from: text)
    must(Set(object.members.map(\.name)).count == object.members.count, "a parameter is there once")
    guard errors.isEmpty else { return }
    do {
        let limit = try object.optional("limit", as: Int.self) ?? 50
        must((1...100).contains(limit), "a limit is within its range")
        let _: LocalDate = try object.required("date")
        let _: Timestamp? = try object.optional("at")
        let _: [String]? = try object.optional("status")
        let _: ID<Tenant>? = try object.optional("id")
        let _: Bool? = try object.optional("all")
        let _: Double? = try object.optional("rate")
        let _: [Int]? = try object.optional("ids")
    } catch { must(false, "a checked query reads as its types") }
}

private let router: Router<String>? = try? Router([
    ("GET", "/", "home"), ("GET", "/v1/slots", "slots"), ("POST", "/v1/slots/bulk", "bulk"), ("GET", "/v1/slots/:id", "slot"),
    ("PATCH", "/v1/slots/:id", "change"), ("POST", "/v1/queue/:id/:verb", "verb"), ("GET", "/v1/queue/display/events", "events"),
    ("GET", "/docs/:file", "file"), ("GET", "/v1/:a/:b/:c", "deep"),
])

private func path(_ text: String) {
    guard !text.utf8.contains(0) else { return }  // The parser refuses it before.
    for method in ["GET", "HEAD", "POST", "BREW"] {
        guard case .found(_, let parameters)? = router?.match(method: method, path: text) else { continue }
        must(parameters.allSatisfy { !$0.value.isEmpty && !$0.value.utf8.contains(0) }, "a parameter is text")
        let request = Request(method: method, path: text)
        _ = try? request.id("id", of: Tenant.self)
    }
}

private func headers(_ text: String) {
    let request = Request(method: "GET", path: "/", headers: [("if-match", text)], traceparent: text)
    _ = try? request.ifMatch()
    _ = request.traceID
    if let (id, flags) = TraceContext.valid(text) { must(id.utf8.count == 32 && flags.utf8.count == 2, "a trace has its lengths") }
    _ = WebSocket.accept(text)
    _ = text.trimmed
}
