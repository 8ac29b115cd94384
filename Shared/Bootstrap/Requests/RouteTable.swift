import Access
import HTTP

/// Finds the route of a path: a tree of segments, where a literal segment wins over a `:name`.
struct RouteTable: Sendable {
    enum Match {
        /// `index` is the route's place in the table: what metrics and the log know it by.
        case found(index: Int, parameters: [(name: String, value: String)])
        /// The path exists under other methods: the value of `Allow`.
        case wrongMethod(allow: String)
        case none
    }

    private struct Node {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var routes: [(method: String, index: Int)] = []
    }

    let routes: [Route]
    private var nodes = [Node()]
    private var names: [[String]] = []

    /// Two routes of one method and shape are a mistake of ours: the first request could never know which is meant.
    init(_ routes: [Route]) {
        self.routes = routes
        for (index, route) in routes.enumerated() {
            var node = 0
            var parameters: [String] = []
            for segment in route.pattern.split(separator: "/", omittingEmptySubsequences: true) {
                if segment.first == ":" { parameters.append(String(segment.dropFirst())) }
                node = child(of: node, for: segment)
            }
            precondition(
                !nodes[node].routes.contains { $0.method == route.method }, "\(route.method) \(route.pattern) is routed twice")
            nodes[node].routes.append((route.method, index))
            names.append(parameters)
        }
    }

    private mutating func child(of node: Int, for segment: Substring) -> Int {
        if segment.first == ":" {
            if let known = nodes[node].parameter { return known }
            nodes.append(Node())
            nodes[node].parameter = nodes.count - 1
        } else {
            if let known = nodes[node].literals[String(segment)] { return known }
            nodes.append(Node())
            nodes[node].literals[String(segment)] = nodes.count - 1
        }
        return nodes.count - 1
    }

    func match(_ method: String, _ path: String) -> Match {
        guard path.utf8.first == 0x2f else { return .none }
        // A trailing slash or an empty segment names nothing of ours.
        let segments = path == "/" ? [] : path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard segments.count <= 16, let (node, values) = walk(0, segments[...], []) else { return .none }

        // HEAD is answered as GET; the server leaves the body out.
        let asked = method == "HEAD" ? "GET" : method
        let found = nodes[node].routes
        guard let index = found.first(where: { $0.method == asked })?.index else {
            var methods = found.map(\.method)
            if methods.contains("GET") { methods.append("HEAD") }
            return .wrongMethod(allow: methods.sorted().joined(separator: ", "))
        }
        return .found(index: index, parameters: Array(zip(names[index], values)).map { ($0.0, $0.1) })
    }

    private func walk(_ node: Int, _ rest: ArraySlice<Substring>, _ values: [String]) -> (Int, [String])? {
        guard let segment = rest.first else { return nodes[node].routes.isEmpty ? nil : (node, values) }
        if let next = nodes[node].literals[String(segment)], let found = walk(next, rest.dropFirst(), values) {
            return found
        }
        guard let next = nodes[node].parameter, !segment.isEmpty, let value = percentDecoded(segment) else { return nil }
        return walk(next, rest.dropFirst(), values + [value])
    }
}

/// The text behind `%41`; nil when an escape is broken, is not UTF-8, or hides a control character.
func percentDecoded(_ text: Substring) -> String? {
    guard text.utf8.contains(0x25) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == 0x25 else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
        let decoded = high << 4 | low
        guard decoded >= 0x20, decoded != 0x7f else { return nil }
        bytes.append(decoded)
    }
    return String(validating: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}
