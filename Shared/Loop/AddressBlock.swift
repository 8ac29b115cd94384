import Glibc

/// A range of addresses such as `10.0.0.0/8` or `::1`. An IPv4 address and the same one mapped into IPv6 are one.
package struct AddressBlock: Sendable, Equatable {
    private let base: [UInt8]
    private let bits: Int

    /// Nil for what is no address, or a prefix that is longer than it.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let (bytes, isV4) = Self.bytes(String(first)) else { return nil }
        base = bytes
        guard parts.count == 2 else {
            bits = 128
            return
        }
        guard let length = Int(parts[1]), (0...(isV4 ? 32 : 128)).contains(length) else { return nil }
        bits = length + (isV4 ? 96 : 0)
    }

    /// `address` in numeric form; what does not read is in no block.
    package func contains(_ address: String) -> Bool {
        guard let (bytes, _) = Self.bytes(address) else { return false }
        let whole = bits / 8
        guard base.prefix(whole).elementsEqual(bytes.prefix(whole)) else { return false }
        let rest = bits % 8
        guard rest > 0, whole < 16 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
        return base[whole] & mask == bytes[whole] & mask
    }

    /// Sixteen bytes: IPv4 as `::ffff:a.b.c.d`.
    private static func bytes(_ text: String) -> ([UInt8], isV4: Bool)? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            return ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + withUnsafeBytes(of: &four) { Array($0) }, true)
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        return (withUnsafeBytes(of: &six) { Array($0) }, false)
    }
}

extension AddressBlock {
    /// What the loopback interface answers to.
    package static let thisMachine: [AddressBlock] = ["127.0.0.0/8", "::1"].compactMap { AddressBlock($0) }

    package static func isThisMachine(_ address: String) -> Bool { thisMachine.contains { $0.contains(address) } }

    /// What is not on the public internet: this host, private and shared networks, link-local (cloud metadata among
    /// them), documentation, benchmarking, multicast, reserved, and the IPv6 ranges that wrap an IPv4 address.
    /// Source: the special-purpose registries of RFC 6890 as updated by RFC 8190.
    package static let special: [AddressBlock] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { AddressBlock($0) }
}
