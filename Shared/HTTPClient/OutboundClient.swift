import Loop

/// Asks servers outside of the suite at addresses that somebody typed in: calendars, web hooks, gateways.
///
/// Nothing it is told can make it knock inside: `https`, a host name or IPv4 address and nothing cleverer, the
/// name is looked up once, every address it has must be public, and the connection goes to the address that was
/// checked. Redirects are answers, not orders. What is in our own network is reached only by what the operator
/// lists (`OUTBOUND_ALLOWED`), and other services of the suite by `Cards`, never from here.
///
/// `http` is spoken to this machine alone, and only where its addresses are allowed: an agent beside the process.
@LoopActor package final class OutboundClient {
    package enum Refusal: Error, Sendable, Equatable {
        /// Not an address of the plain form `https://host[:port][/path][?query]`.
        case address
        /// The name is not known, or one of its addresses is not on the public internet.
        case inside
    }

    /// Numeric addresses of a host name.
    package typealias LookUp = @LoopActor @Sendable (String) async throws -> [String]

    private let client = HTTPClient(connectionsPerHost: 4)
    private let allowed: [AddressBlock]
    private let lookUp: LookUp

    /// `allowed` are blocks that may be reached although they are not public.
    package init(
        allowed: [AddressBlock] = [], lookUp: @escaping LookUp = { try await Resolver.addresses(of: $0) }
    ) {
        self.allowed = allowed
        self.lookUp = lookUp
    }

    package func request(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        deadline: Duration = .seconds(10)
    ) async throws -> HTTPClient.Answer {
        guard let target = Target(url) else { throw Refusal.address }
        guard let addresses = try? await lookUp(target.host), !addresses.isEmpty,
            addresses.allSatisfy({ mayReach($0) }), target.isTLS || addresses.allSatisfy(AddressBlock.isThisMachine)
        else { throw Refusal.inside }
        // An IPv6 address stands in brackets there.
        let list = addresses.map { $0.contains(":") ? "[\($0)]" : $0 }.joined(separator: ",")
        return try await client.request(
            method, url, headers: headers, body: body, deadline: deadline,
            pins: ["\(target.host):\(target.port):\(list)"], onlyTLS: target.isTLS)
    }

    private func mayReach(_ address: String) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        return AddressBlock("::/0")?.contains(address) == true && !AddressBlock.special.contains { $0.contains(address) }
    }

    /// Host and port of an address, read more strictly than libcurl reads it, so that both read the same.
    package struct Target: Equatable, Sendable {
        package let host: String
        package let port: Int
        package let isTLS: Bool

        package init?(_ url: String) {
            isTLS = url.hasPrefix("https://")
            guard url.utf8.count <= 2_048, isTLS || url.hasPrefix("http://"),
                url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c })
            else { return nil }
            let authority = url.dropFirst(isTLS ? 8 : 7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let first = parts.first, parts.count <= 2 else { return nil }
            let isName = first.utf8.allSatisfy {
                (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
            }
            guard isName, (1...253).contains(first.utf8.count), first.first != ".", first.last != "." else { return nil }
            var port = isTLS ? 443 : 80
            if parts.count == 2 {
                guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]),
                    (1...65_535).contains(number)
                else { return nil }
                port = number
            }
            host = String(first)
            self.port = port
        }
    }
}
