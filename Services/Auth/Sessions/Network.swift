import Glibc
import HTTP

extension Request {
    /// Whom failures are counted under: an IPv4 address, or the /64 of an IPv6 one, which is what one customer has.
    var network: String { Network.name(of: remoteAddress) }
}

/// Where a client is, as coarsely as one client can choose for itself.
enum Network {
    static func name(of address: String) -> String {
        var bytes = in6_addr()
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return address }
        let parts = withUnsafeBytes(of: bytes) { [UInt8]($0) }
        // An IPv4 client of a socket for both kinds.
        if parts.prefix(10).allSatisfy({ $0 == 0 }), parts[10..<12].allSatisfy({ $0 == 0xff }) {
            return parts.suffix(4).map { "\($0)" }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: 8, by: 2).map { UInt16(parts[$0]) << 8 | UInt16(parts[$0 + 1]) }
        return groups.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
