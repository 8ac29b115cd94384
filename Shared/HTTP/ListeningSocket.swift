import CLinux
import Glibc
import Loop

/// The system calls that make a listening socket.
enum ListeningSocket {
    static func open(host: String, port: Int) throws(HTTPServer.ListenError) -> (fd: Int32, port: Int) {
        guard let port = in_port_t(exactly: port) else { throw failure("the port is not 0 to 65535") }
        let name = host == "localhost" ? "127.0.0.1" : host
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        if inet_pton(AF_INET, name, &v4.sin_addr) == 1 {
            return try withUnsafeBytes(of: &v4) { bytes throws(HTTPServer.ListenError) in try listen(AF_INET, bytes) }
        }
        guard inet_pton(AF_INET6, name, &v6.sin6_addr) == 1 else { throw failure("the host is not an address") }
        return try withUnsafeBytes(of: &v6) { bytes throws(HTTPServer.ListenError) in try listen(AF_INET6, bytes) }
    }

    private static func listen(
        _ family: Int32, _ address: UnsafeRawBufferPointer
    ) throws(HTTPServer.ListenError) -> (fd: Int32, port: Int) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let fd = socket(family, type, 0)
        guard fd >= 0, let base = address.baseAddress else { throw failure("socket: \(message())") }
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, size)
        // Accepted sockets inherit it; an answer is one write, which Nagle would only delay.
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
        let length = socklen_t(address.count)
        guard bind(fd, base.assumingMemoryBound(to: sockaddr.self), length) == 0, Glibc.listen(fd, 1024) == 0 else {
            let reason = message()
            close(fd)
            throw failure("cannot listen: \(reason)")
        }
        return (fd, boundPort(fd))
    }

    private static func boundPort(_ fd: Int32) -> Int {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        // The port is at the same place in both families.
        return withUnsafeBytes(of: &address) { Int($0[2]) << 8 | Int($0[3]) }
    }

    private static func message() -> String { String(cString: strerror(errno)) }
    private static func failure(_ text: String) -> HTTPServer.ListenError {
        HTTPServer.ListenError(description: text)
    }
}

/// Who is at the other end of a connection.
struct Peer: Sendable {
    let address: String

    init(_ storage: sockaddr_storage) {
        var storage = storage
        let family = Int32(storage.ss_family)
        address = withUnsafeBytes(of: &storage) { bytes -> String in
            let isV4 = family == AF_INET
            let raw = isV4 ? bytes[4..<8] : bytes[8..<24]
            let isMapped = !isV4 && raw.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let shown = isMapped ? bytes[20..<24] : raw
            inet_ntop(
                isV4 || isMapped ? AF_INET : AF_INET6, UnsafeRawBufferPointer(rebasing: shown).baseAddress, &text,
                socklen_t(text.count))
            return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        }
    }

    /// The client behind our gateway: the last address of `X-Forwarded-For`, the one the gateway itself added.
    /// Nobody but a gateway of ours is believed.
    func client(forwardedFor header: String?, trusting proxies: [AddressBlock]) -> String {
        guard let last = header?.utf8.split(separator: 0x2c).last, proxies.contains(where: { $0.contains(address) })
        else { return address }
        let text = String(Substring(last)).trimmed
        var scratch = in6_addr()
        let isAddress = inet_pton(AF_INET, text, &scratch) == 1 || inet_pton(AF_INET6, text, &scratch) == 1
        return isAddress ? text : address
    }
}
