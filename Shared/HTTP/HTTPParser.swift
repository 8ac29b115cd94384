import Glibc

/// Decides what a byte stream says in HTTP/1.1 (RFC 9112), and refuses whatever two readers could understand
/// differently. A pure state machine: bytes in, events out, no I/O, no clock.
///
/// The caller keeps bytes that were not consumed and offers them again, with more behind them.
package struct HTTPParser: Sendable {
    package struct Limits: Sendable {
        package var requestLine = 8 * 1024
        /// All header lines together, trailers included.
        package var headerBytes = 16 * 1024
        package var headers = 100
        package var body = 1024 * 1024
        package init() {}
    }

    package enum Event: Sendable {
        case needsMore
        /// The head is read and the client waits for `100 Continue` before it sends the body.
        case expectsContinue
        case message(HTTPMessage)
        /// The stream cannot be understood any further: answer, then close.
        case refused(HTTPRefusal)
    }

    private enum State {
        case head
        case fixedBody(remaining: Int)
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers
        case refused(HTTPRefusal)
    }

    private let limits: Limits
    private var state = State.head
    /// The message whose body is being read.
    private var message: HTTPMessage?
    /// How far the head at hand was searched for line ends, and where its last line starts.
    private var searched = 0
    private var lineStart = 0
    private var requestLineEnd = 0
    private var skippedEmptyLine = false
    /// Bytes of chunk extensions and trailers, which are read and dropped.
    private var overhead = 0

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Whether a head is complete and its body is not.
    package var isInBody: Bool { message != nil }

    /// Reads as far as the next event. At most one message is taken, so that answers keep the order of requests.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> (consumed: Int, event: Event) {
        var at = 0
        do {
            if case .head = state {
                guard let head = try readHead(bytes, at: &at) else { return (at, .needsMore) }
                if case .head = state { return (at, .message(head)) }
                message = head
                let waits = head.expectsContinue && at == bytes.count
                if waits { return (at, .expectsContinue) }
            }
            guard try readBody(bytes, at: &at), let complete = message else { return (at, .needsMore) }
            message = nil
            state = .head
            return (at, .message(complete))
        } catch {
            message = nil
            state = .refused(error)
            return (bytes.count, .refused(error))
        }
    }

    // MARK: head

    /// The next head, leaving `state` at what follows it; nil when it is not complete yet.
    private mutating func readHead(_ bytes: UnsafeRawBufferPointer, at: inout Int) throws(HTTPRefusal) -> HTTPMessage? {
        try skipEmptyLine(bytes, at: &at)
        let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
        guard let end = try endOfHead(rest) else { return nil }
        let (head, framing) = try HTTPHead.read(
            UnsafeRawBufferPointer(rebasing: rest[..<lineStart]), requestLine: requestLineEnd, limits)
        at += end
        searched = 0
        lineStart = 0
        requestLineEnd = 0
        skippedEmptyLine = false
        overhead = 0
        switch framing {
        case .none: state = .head
        case .length(let length): state = length == 0 ? .head : .fixedBody(remaining: length)
        case .chunked: state = .chunkSize
        }
        return head
    }

    /// RFC 9112 2.2 lets one empty line precede a request. Anything else that cannot start a method is refused at
    /// once, so that a TLS hello does not wait for the deadline.
    private mutating func skipEmptyLine(_ bytes: UnsafeRawBufferPointer, at: inout Int) throws(HTTPRefusal) {
        guard let first = bytes.first else { return }
        if first == 0x0d, !skippedEmptyLine {
            guard bytes.count > 1 else { return }
            guard bytes[1] == 0x0a else { throw .malformed }
            skippedEmptyLine = true
            at = 2
            guard bytes.count > 2 else { return }
        }
        guard HTTPHead.isToken(bytes[at]) else { throw .malformed }
    }

    /// The offset after the empty line that ends the head; nil when it has not come yet.
    private mutating func endOfHead(_ bytes: UnsafeRawBufferPointer) throws(HTTPRefusal) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        while searched < bytes.count, let found = memchr(base + searched, 0x0a, bytes.count - searched) {
            let newline = UnsafeRawPointer(found) - base
            guard newline > 0, bytes[newline - 1] == 0x0d else { throw .bareNewline }
            searched = newline + 1
            if newline - 1 == lineStart, lineStart > 0 { return newline + 1 }
            if lineStart == 0 {
                guard newline - 1 <= limits.requestLine else { throw .uriTooLong }
                requestLineEnd = newline - 1
            }
            lineStart = newline + 1
            guard lineStart - requestLineEnd <= limits.headerBytes else { throw .headersTooLarge }
        }
        searched = bytes.count
        if lineStart == 0 {
            guard bytes.count <= limits.requestLine + 1 else { throw .uriTooLong }
        } else {
            // The CR of the empty line, which does not count, may be the last byte so far.
            guard bytes.count - requestLineEnd <= limits.headerBytes + 1 else { throw .headersTooLarge }
        }
        return nil
    }

    // MARK: body

    /// True when the body is complete.
    private mutating func readBody(_ bytes: UnsafeRawBufferPointer, at: inout Int) throws(HTTPRefusal) -> Bool {
        while true {
            switch state {
            case .refused(let refusal): throw refusal
            case .head: return true
            case .fixedBody(let remaining):
                let left = take(remaining, of: bytes, at: &at)
                state = .fixedBody(remaining: left)
                return left == 0
            case .chunk(let remaining):
                let left = take(remaining, of: bytes, at: &at)
                state = left == 0 ? .chunkEnd : .chunk(remaining: left)
                if left > 0 { return false }
            case .chunkEnd:
                guard bytes.count - at >= 2 else {
                    guard at == bytes.count || bytes[at] == 0x0d else { throw .badChunk }
                    return false
                }
                guard bytes[at] == 0x0d, bytes[at + 1] == 0x0a else { throw .badChunk }
                at += 2
                state = .chunkSize
            case .chunkSize:
                guard let line = try bodyLine(bytes, at: &at, limit: 256) else { return false }
                let size = try chunkSize(line)
                state = size == 0 ? .trailers : .chunk(remaining: size)
            case .trailers:
                guard let line = try bodyLine(bytes, at: &at, limit: limits.headerBytes) else { return false }
                if line.isEmpty { return true }
                // Checked and dropped: nothing here reads a trailer, and none may speak about the framing.
                let name = try HTTPHead.field(line).name
                guard name != "content-length", name != "transfer-encoding", name != "host" else { throw .badChunk }
            }
        }
    }

    /// Moves up to `count` bytes into the body and returns how many are still to come.
    private mutating func take(_ count: Int, of bytes: UnsafeRawBufferPointer, at: inout Int) -> Int {
        let taken = min(count, bytes.count - at)
        message?.body.append(contentsOf: bytes[at..<at + taken])
        at += taken
        return count - taken
    }

    /// One line of chunk framing without its CRLF; nil when it is not complete.
    private mutating func bodyLine(
        _ bytes: UnsafeRawBufferPointer, at: inout Int, limit: Int
    ) throws(HTTPRefusal) -> UnsafeRawBufferPointer? {
        let rest = bytes[at...]
        guard let newline = rest.firstIndex(of: 0x0a) else {
            // The line's CR may have come before its LF.
            guard rest.count <= limit + 1 else { throw .headersTooLarge }
            return nil
        }
        guard newline > at, bytes[newline - 1] == 0x0d else { throw .bareNewline }
        let line = UnsafeRawBufferPointer(rebasing: bytes[at..<newline - 1])
        overhead += max(0, line.count - 8)
        guard line.count <= limit, overhead <= limits.headerBytes else { throw .headersTooLarge }
        at = newline + 1
        return line
    }

    /// `1*HEXDIG [";" extension]`. Extensions are dropped, but may hold nothing that could hide a line end.
    private func chunkSize(_ line: UnsafeRawBufferPointer) throws(HTTPRefusal) -> Int {
        var size = 0
        var digits = 0
        for byte in line {
            guard let digit = HTTPHead.hexDigit(byte) else { break }
            digits += 1
            guard digits <= 8 else { throw .bodyTooLarge }
            size = size << 4 | digit
        }
        guard digits > 0 else { throw .badChunk }
        let tail = line.dropFirst(digits)
        if let first = tail.first {
            guard first == 0x3b, tail.allSatisfy(HTTPHead.isFieldByte) else { throw .badChunk }
        }
        guard size <= limits.body - (message?.body.count ?? 0) else { throw .bodyTooLarge }
        return size
    }
}

/// One complete request as it came over the wire.
package struct HTTPMessage: Sendable {
    package var method = ""
    package var path = ""
    /// Without `?`.
    package var query = ""
    /// Names are lower case.
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    /// Whether the client will read another answer on this connection.
    package var keepsAlive = true
    package var expectsContinue = false
    /// HTTP/1.0: no chunked answers, and staying connected must be said.
    package var isOldVersion = false
}

/// Why a byte stream was refused, as its client will read it.
package struct HTTPRefusal: Error, Equatable, Sendable {
    package let status: Int
    package let code: String
    package let detail: String

    private init(_ status: Int, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    package static let malformed = Self(400, "malformed_request", "This is not an HTTP/1.1 request.")
    package static let bareNewline = Self(400, "malformed_request", "Lines end with CR LF.")
    package static let badTarget = Self(400, "malformed_target", "The path or query is not a percent-encoded URI.")
    package static let badHeader = Self(400, "malformed_header", "A header is a name, a colon and a value on one line.")
    package static let badHost = Self(400, "malformed_host", "Send exactly one Host header.")
    package static let badLength = Self(400, "malformed_length", "Send one Content-Length or chunked coding, not both.")
    package static let badChunk = Self(400, "malformed_body", "The chunked body is broken.")
    package static let timedOut = Self(408, "request_timeout", "The request did not arrive in time.")
    package static let bodyTooLarge = Self(413, "body_too_large", "The body is larger than this server accepts.")
    package static let uriTooLong = Self(414, "uri_too_long", "The path and query are longer than this server accepts.")
    package static let badExpectation = Self(417, "expectation_failed", "Only Expect: 100-continue is understood.")
    package static let headersTooLarge = Self(431, "headers_too_large", "The headers are larger than we accept.")
    package static let unknownMethod = Self(501, "unknown_method", "This server does not know the method.")
    package static let unknownCoding = Self(501, "unknown_coding", "Only the chunked transfer coding is understood.")
    package static let badVersion = Self(505, "unsupported_version", "Speak HTTP/1.1.")
}
