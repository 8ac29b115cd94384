import Glibc

/// Turns a host's name into numeric addresses away from the loop: `getaddrinfo` blocks for as long as a
/// broken name server likes.
package enum Resolver {
    package struct Unknown: Error {
        package let host: String
    }

    @LoopActor private static let threads = BlockingPool(threads: 1, limit: 64)

    /// At least one address. A numeric host is its own.
    @LoopActor package static func addresses(of host: String) async throws -> [String] {
        if isNumeric(host) { return [host] }
        let found = try await threads.run { lookUp(host, flags: AI_ADDRCONFIG) }
        if found.isEmpty { throw Unknown(host: host) }
        return found
    }

    package static func isNumeric(_ host: String) -> Bool { !lookUp(host, flags: AI_NUMERICHOST).isEmpty }

    private static func lookUp(_ host: String, flags: Int32) -> [String] {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(text.count)
            if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0 {
                found.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = entry.ai_next
        }
        return found
    }
}
