/// Finds whom a method and path are meant for. Patterns are literal segments and `:name` parameters; a literal
/// wins over a parameter in the same place.
package struct Router<Target: Sendable>: Sendable {
    package enum Match: Sendable {
        case found(Target, parameters: [(name: String, value: String)])
        case notFound
        /// The path exists for these methods only: 405 with `Allow`.
        case methodNotAllowed(allow: String)
        /// A segment is not percent-encoded UTF-8: 400.
        case malformed
    }

    /// A table that no request could be matched against unambiguously: a mistake of ours, found at start.
    package struct Ambiguous: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Entry {
        let method: String
        let names: [String]
        let target: Target
    }

    /// One place in the tree of segments; children are indices into `nodes`.
    private struct Node {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var entries: [Entry] = []
    }

    private var nodes = [Node()]

    package init(_ routes: [(method: String, pattern: String, target: Target)]) throws(Ambiguous) {
        for route in routes { try add(route.method, route.pattern, route.target) }
    }

    private mutating func add(_ method: String, _ pattern: String, _ target: Target) throws(Ambiguous) {
        guard pattern.hasPrefix("/") else { throw Ambiguous(description: "\(pattern) does not start with /") }
        var names: [String] = []
        var at = 0
        for segment in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if segment.hasPrefix(":") {
                let name = String(segment.dropFirst())
                guard !name.isEmpty, !names.contains(name) else {
                    throw Ambiguous(description: "\(pattern) has a parameter without a name of its own")
                }
                names.append(name)
                at = child(of: at, \.parameter)
            } else {
                at = child(of: at, \.literals[String(segment)])
            }
        }
        guard !nodes[at].entries.contains(where: { $0.method == method }) else {
            throw Ambiguous(description: "\(method) \(pattern) is there twice")
        }
        nodes[at].entries.append(Entry(method: method, names: names, target: target))
    }

    private mutating func child(of parent: Int, _ place: WritableKeyPath<Node, Int?>) -> Int {
        if let known = nodes[parent][keyPath: place] { return known }
        nodes.append(Node())
        nodes[parent][keyPath: place] = nodes.count - 1
        return nodes.count - 1
    }

    package func match(method: String, path: String) -> Match {
        guard path.utf8.first == 0x2f else { return .notFound }
        guard let segments = Self.segments(of: path) else { return .malformed }
        var values: [String] = []
        guard let found = find(segments[...], from: 0, values: &values) else { return .notFound }
        let entries = nodes[found].entries
        let entry =
            entries.first { $0.method == method }
            // RFC 9110 9.3.2: HEAD is GET without the content, which the connection leaves out.
            ?? (method == "HEAD" ? entries.first { $0.method == "GET" } : nil)
        guard let entry else {
            var methods = entries.map(\.method)
            if methods.contains("GET"), !methods.contains("HEAD") { methods.append("HEAD") }
            return .methodNotAllowed(allow: methods.sorted().joined(separator: ", "))
        }
        return .found(entry.target, parameters: Array(zip(entry.names, values)))
    }

    /// Depth first, literals before the parameter. Bounded by the depth of the tree, not by the path.
    private func find(_ segments: ArraySlice<String>, from index: Int, values: inout [String]) -> Int? {
        let node = nodes[index]
        guard let segment = segments.first else { return node.entries.isEmpty ? nil : index }
        let rest = segments.dropFirst()
        if let literal = node.literals[segment], let found = find(rest, from: literal, values: &values) {
            return found
        }
        guard let parameter = node.parameter, !segment.isEmpty else { return nil }
        values.append(segment)
        if let found = find(rest, from: parameter, values: &values) { return found }
        values.removeLast()
        return nil
    }

    /// The decoded segments of a path; nil when one is not percent-encoded UTF-8 or holds NUL.
    private static func segments(of path: String) -> [String]? {
        var segments: [String] = []
        segments.reserveCapacity(6)
        for raw in path.utf8.dropFirst().split(separator: 0x2f, omittingEmptySubsequences: false) {
            guard raw.contains(0x25) else {
                segments.append(String(Substring(raw)))
                continue
            }
            guard let decoded = decoded(raw) else { return nil }
            segments.append(decoded)
        }
        return segments
    }

    private static func decoded(_ raw: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = raw.makeIterator()
        while let byte = rest.next() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(HTTPHead.hexDigit), let low = rest.next().flatMap(HTTPHead.hexDigit),
                let value = UInt8(exactly: high << 4 | low), value != 0
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
