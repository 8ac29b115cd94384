import HTTP
import Testing

@Suite struct RouterTests {
    private func router() throws -> Router<String> {
        try Router([
            ("GET", "/v1/slots", "list"), ("POST", "/v1/slots/bulk", "bulk"), ("GET", "/v1/slots/:id", "show"),
            ("PATCH", "/v1/slots/:slotId", "patch"), ("GET", "/v1/slots/:id/notes/:note", "note"), ("GET", "/", "root"),
            ("GET", "/v1/queue/today", "today"), ("GET", "/v1/queue/today/x", "x"), ("GET", "/v1/queue/:token/y", "y"),
        ])
    }

    private func match(_ method: String, _ path: String) throws -> String {
        switch try router().match(method: method, path: path) {
        case .found(let target, let parameters):
            ([target] + parameters.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
        case .notFound: "404"
        case .methodNotAllowed(let allow): "405 \(allow)"
        case .malformed: "400"
        }
    }

    @Test(arguments: [
        ("GET", "/v1/slots", "list"), ("GET", "/", "root"), ("GET", "/v1/slots/7", "show id=7"),
        ("PATCH", "/v1/slots/7", "patch slotId=7"),
        ("GET", "/v1/slots/a%20b%2Fc/notes/%C3%A9", "note id=a b/c note=é"), ("HEAD", "/v1/slots", "list"),
        ("POST", "/v1/slots/bulk", "bulk"),
        ("GET", "/v1/%73lots", "list"), ("GET", "/v1/queue/today", "today"), ("GET", "/v1/queue/today/x", "x"),
        ("GET", "/v1/queue/today/y", "y token=today"), ("GET", "/v1/queue/7/y", "y token=7"),
        ("DELETE", "/v1/slots/7", "405 GET, HEAD, PATCH"), ("GET", "/v1/slots/bulk", "405 POST"),
        ("POST", "/v1/slots", "405 GET, HEAD"),
        ("GET", "/v1", "404"), ("GET", "/v1/slots/", "404"), ("GET", "/v1/slots/7/", "404"),
        ("GET", "//v1/slots", "404"), ("GET", "*", "404"),
        ("GET", "/v1/slots/7/notes", "404"), ("GET", "/V1/slots", "404"), ("GET", "", "404"),
        ("GET", "/v1/queue/7", "404"),
        ("GET", "/v1/slots/%00", "400"), ("GET", "/v1/slots/%", "400"), ("GET", "/v1/slots/%f", "400"),
        ("GET", "/v1/slots/%ff", "400"),
        ("GET", "/v1/slots/%zz", "400"),
    ])
    func `A path finds its route`(_ method: String, _ path: String, _ expected: String) throws {
        #expect(try match(method, path) == expected)
    }

    @Test(arguments: [
        [("GET", "/a/:x"), ("GET", "/a/:y")], [("GET", "/a"), ("GET", "/a")], [("GET", "a")], [("GET", "/:")],
        [("GET", "/:a/:a")],
    ])
    func `An ambiguous table is refused when it is built`(_ routes: [(String, String)]) {
        #expect(throws: Router<Int>.Ambiguous.self) { try Router(routes.map { ($0.0, $0.1, 1) }) }
    }
}

@Suite struct CursorTests {
    @Test(arguments: [
        [], ["a"], ["2026-11-20T09:30:00Z", "0190f5a0-7b5c-7cc0-8000-000000000001"], ["é😀", ""], ["\"\\\n"],
    ])
    func `A cursor carries its keys`(_ keys: [String]) throws {
        let text = Cursor.encode(keys)
        #expect(
            text.utf8.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f
            })
        #expect(try Cursor.decode(text) == keys)
    }

    @Test(arguments: [
        "", "=", "a", "W10=", "é", "WzFd", "e30", "bnVsbA", String(repeating: "A", count: 2000), "W11", "W1tdXQ",
    ])
    func `Anything else is refused`(_ text: String) {
        #expect(throws: Problem.self) { try Cursor.decode(text) }
    }
}
