import Cryptography
import Glibc
import Loop

/// Reads variables in turn. A mistake yields a harmless value here and is thrown, with all others, by `finish`.
package struct EnvironmentReader {
    private let environment: Environment
    private var mistakes: [Environment.Reading] = []

    init(of environment: Environment) { self.environment = environment }

    /// Placeholders stand in for what is missing: parse nothing that a placeholder cannot satisfy.
    package var isDescribing: Bool { environment.isDescribing }

    /// Throws every mistake made so far.
    package func finish() throws(ConfigurationError) {
        if !mistakes.isEmpty && !environment.isDescribing { throw ConfigurationError(mistakes: mistakes) }
    }

    // MARK: plain values

    package mutating func text(_ name: String, default fallback: String? = nil) -> String {
        guard let value = value(name) ?? fallback else { return missing(name, "") }
        return keep(name, value, shown: value)
    }

    package mutating func optionalText(_ name: String) -> String? {
        guard let value = value(name) else { return keep(name, nil, shown: "(not set)") }
        return keep(name, value, shown: value)
    }

    package mutating func int(_ name: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
        guard let text = value(name) else {
            guard let fallback else { return missing(name, range.lowerBound) }
            return keep(name, fallback, shown: "\(fallback)")
        }
        guard let number = Int(text), range.contains(number) else {
            let bounds = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            return wrong(name, text, "must be \(bounds)", range.lowerBound)
        }
        return keep(name, number, shown: text)
    }

    package mutating func seconds(
        _ name: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 0...86_400
    ) -> Duration {
        .seconds(int(name, default: fallback, in: range))
    }

    package mutating func flag(_ name: String, default fallback: Bool) -> Bool {
        switch value(name) {
        case nil: keep(name, fallback, shown: "\(fallback)")
        case "true", "1": keep(name, true, shown: "true")
        case "false", "0": keep(name, false, shown: "false")
        case let other?: wrong(name, other, "must be true or false", fallback)
        }
    }

    package mutating func choice(_ name: String, of words: [String], default fallback: String? = nil) -> String {
        guard let text = value(name) ?? fallback else { return missing(name, words.first ?? "") }
        guard words.contains(text) else {
            return wrong(name, text, "must be one of \(words.joined(separator: ", "))", words.first ?? "")
        }
        return keep(name, text, shown: text)
    }

    /// Blocks of addresses, `10.0.0.0/8,127.0.0.1`.
    package mutating func addresses(_ name: String, default fallback: String) -> [AddressBlock] {
        let text = value(name) ?? fallback
        var blocks: [AddressBlock] = []
        for part in text.split(separator: ",") {
            guard let block = AddressBlock(String(part)) else {
                return wrong(name, text, "must look like 10.0.0.0/8,192.0.2.7", [])
            }
            blocks.append(block)
        }
        return keep(name, blocks, shown: text)
    }

    /// The path of a file that a library of the system reads by itself; it must be there.
    package mutating func optionalPath(_ name: String) -> String? {
        guard let path = value(name) else { return keep(name, nil, shown: "(not set)") }
        guard isDescribing || readFile(path, limit: 65_536) != nil else {
            return wrong(name, path, "names a file that cannot be read or is larger than 64 KB", nil)
        }
        return keep(name, path, shown: path)
    }

    /// `name=url,name=url`
    package mutating func table(_ name: String, default fallback: String = "") -> [String: String] {
        let text = value(name) ?? fallback
        var table: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return wrong(name, text, "must look like name=value,name=value", [:]) }
            table[String(parts[0])] = String(parts[1])
        }
        return keep(name, table, shown: text)
    }

    // MARK: files

    /// The contents of the file that `name` (which ends in `_FILE`) points to, without its last line break.
    /// Secrets have no defaults and are never shown.
    package mutating func secret(_ name: String) -> Secret { Secret(file(name, shown: "***") ?? "", file: value(name)) }

    /// The same for a secret that may be left out.
    package mutating func optionalSecret(_ name: String) -> Secret? {
        guard value(name) != nil else { return keep(name, nil, shown: "(not set)") }
        return file(name, shown: "***").map { Secret($0, file: value(name)) }
    }

    /// The contents of a file that is no secret, such as public keys.
    package mutating func fileText(_ name: String) -> String { file(name, shown: value(name) ?? "") ?? "" }

    /// The same for one that may be left out.
    package mutating func optionalFileText(_ name: String) -> String? {
        guard let path = value(name) else { return keep(name, nil, shown: "(not set)") }
        return file(name, shown: path)
    }

    /// Keys of 64 hexadecimal digits, one a line, the current one first; and where they were read. When describing, a zero
    /// key that opens nothing.
    package mutating func keyChain(_ name: String) -> (chain: KeyChain, file: String?) {
        let zero = KeyChain(SymmetricKey(bytes: [UInt8](repeating: 0, count: 32)))
        guard let text = file(name, shown: "***") else { return (zero, nil) }
        guard let chain = RotatingKeys.parse(text) else {
            return (wrong(name, "***", "must name a file with a line of 64 hexadecimal digits for each key", zero), nil)
        }
        return (chain, value(name))
    }

    /// The same for keys that may be left out.
    package mutating func optionalKeyChain(_ name: String) -> (chain: KeyChain, file: String?)? {
        value(name) == nil ? keep(name, nil, shown: "(not set)") : keyChain(name)
    }

    /// Says that a value read before is wrong for a reason that only the service can know.
    package mutating func refuse(_ name: String, _ mistake: String) {
        let reading = Environment.Reading(name: name, shown: "", mistake: mistake)
        mistakes.append(reading)
        environment.record.append(reading)
    }

    // MARK: bookkeeping

    /// An empty variable is one that is not set: compose files make them.
    private func value(_ name: String) -> String? {
        guard let value = environment.values[name], !value.isEmpty else { return nil }
        return value
    }

    private mutating func file(_ name: String, shown: String) -> String? {
        guard let path = value(name) else { return missing(name, nil) }
        guard let bytes = readFile(path, limit: 65_536) else {
            return wrong(name, path, "names a file that cannot be read or is larger than 64 KB", nil)
        }
        let text = String(decoding: bytes, as: UTF8.self).withoutLineBreaks
        guard !text.isEmpty else { return wrong(name, path, "names an empty file", nil) }
        return keep(name, text, shown: shown)
    }

    private mutating func keep<T>(_ name: String, _ value: T, shown: String) -> T {
        environment.record.append(Environment.Reading(name: name, shown: shown, mistake: nil))
        return value
    }

    private mutating func missing<T>(_ name: String, _ placeholder: T) -> T {
        wrong(name, "(not set)", "is required", placeholder)
    }

    private mutating func wrong<T>(_ name: String, _ shown: String, _ mistake: String, _ placeholder: T) -> T {
        let reading = Environment.Reading(name: name, shown: shown, mistake: mistake)
        environment.record.append(reading)
        mistakes.append(reading)
        return placeholder
    }
}

/// The bytes of a small file, or nil.
func readFile(_ path: String, limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count <= limit {
        let more = bytes.withUnsafeMutableBytes {
            read(descriptor, $0.baseAddress?.advanced(by: count), limit + 1 - count)
        }
        guard more >= 0 else { return nil }
        if more == 0 { return Array(bytes[..<count]) }
        count += more
    }
    return nil
}
