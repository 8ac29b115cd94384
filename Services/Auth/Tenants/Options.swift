import Glibc

/// `--name value` pairs of a command.
struct Options {
    private var values: [String: String] = [:]
    private(set) var mistakes: [String] = []

    init(_ arguments: [String], allowed: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), allowed.contains(String(name.dropFirst(2))) else {
                mistakes.append("There is no option \(name).")
                continue
            }
            guard let value = rest.popFirst() else {
                mistakes.append("\(name) needs a value.")
                continue
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    func optional(_ name: String) -> String? { values[name] }

    mutating func required(_ name: String) -> String {
        guard let value = values[name], !value.isEmpty else {
            mistakes.append("--\(name) is required.")
            return ""
        }
        return value
    }
}

/// Says on standard error what a command cannot do.
func complain(_ command: String, _ mistakes: [String]) {
    for mistake in mistakes {
        let line = [UInt8]("\(command): \(mistake)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
