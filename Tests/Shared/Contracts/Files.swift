import Glibc
import JSON

/// Files of the working tree, by their path from its root.
enum Files {
    struct Missing: Error { let path: String }

    static var regenerates: Bool { getenv("REGENERATE_GOLDEN") != nil }

    /// `…/Tests/Shared/Contracts/Files.swift` is four levels below the root.
    private static var root: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    }

    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen("\(root)/\(path)", "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[0..<count]
        }
    }

    static func write(_ path: String, _ text: String) throws {
        guard let file = fopen("\(root)/\(path)", "w") else { throw Missing(path: path) }
        defer { fclose(file) }
        fputs(text, file)
    }

    static func names(in path: String) throws -> [String] {
        guard let folder = opendir("\(root)/\(path)") else { throw Missing(path: path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

/// JSON for people who review it.
enum Pretty {
    static func text(_ value: JSONValue) -> String { lines(value, "") + "\n" }

    private static func lines(_ value: JSONValue, _ indent: String) -> String {
        let inner = indent + "  "
        switch value {
        case .object(let object) where !object.members.isEmpty:
            let members = object.members.map { inner + quoted(.string($0.name)) + ": " + lines($0.value, inner) }
            return "{\n" + members.joined(separator: ",\n") + "\n" + indent + "}"
        case .array(let values) where !values.isEmpty:
            return "[\n" + values.map { inner + lines($0, inner) }.joined(separator: ",\n") + "\n" + indent + "]"
        default: return quoted(value)
        }
    }

    private static func quoted(_ value: JSONValue) -> String { String(decoding: value.jsonBytes, as: UTF8.self) }
}
