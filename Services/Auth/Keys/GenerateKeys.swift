import Access
import Bootstrap
import Cryptography
import Glibc
import JSON

/// The command that makes a stack's keys, each once: it never replaces one, and needs no server.
///
/// A lost key set is made again from the private key; the other keys, once lost, are lost.
enum GenerateKeys {
    static let command = Command(
        "generate-keys", help: "make signing key, key set, master key, index key and pepper that are missing: --directory D",
        needsServers: false
    ) { arguments in run(arguments) }

    static func run(_ arguments: [String]) -> Int32 {
        var options = Options(arguments, allowed: ["directory"])
        let directory = options.required("directory")
        complain("generate-keys", options.mistakes)
        guard options.mistakes.isEmpty else { return 64 }
        do {
            for made in try make(in: directory) { print("made \(made)") }
            return 0
        } catch {
            complain("generate-keys", ["\(error)"])
            return 1
        }
    }

    /// Makes what is missing and says what that was.
    static func make(in directory: String) throws -> [String] {
        var made: [String] = []
        func once(_ name: String, mode: mode_t, _ bytes: () throws -> [UInt8]) throws {
            let path = "\(directory)/\(name)"
            guard !KeyFile.exists(path) else { return }
            if try KeyFile.make(path, mode: mode, try bytes()) { made.append(path) }
        }
        try once("jwt_private.pem", mode: 0o600) { try SigningKey.generate().pem() }
        // The key set follows from the private key, so it can be made again but never comes to differ.
        try once("jwks.json", mode: 0o644) {
            guard let pem = KeyFile.read("\(directory)/jwt_private.pem") else { throw KeyFileError(path: directory, code: ENOENT) }
            return KeySet([try SigningKey(pem: pem).verifying]).jsonBytes + [0x0a]
        }
        // Where a master key is older than index keys are, it was what auth hashed with, and hashes cannot be made again.
        let hashed = KeyFile.read("\(directory)/master_key")?.split(separator: 0x0a).last { !$0.isEmpty }
        try once("index_key", mode: 0o600) { hashed.map { Array($0) + [0x0a] } ?? hex(Random.bytes(32)) }
        try once("master_key", mode: 0o600) { hex(Random.bytes(32)) }
        try once("password_pepper", mode: 0o600) { hex(Random.bytes(32)) }
        return made
    }

    private static func hex(_ bytes: [UInt8]) -> [UInt8] {
        let digits = [UInt8]("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } + [0x0a]
    }
}
