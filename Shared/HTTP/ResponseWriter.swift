import Glibc
import Loop

/// Puts answers into bytes.
@LoopActor enum ResponseWriter {
    /// Every head is rendered into the same memory.
    private static var scratch: [UInt8] = []

    /// A body up to this size is copied behind its head and leaves with it in one system call.
    private static let copied = 32 * 1024

    static func write(_ response: Response, _ body: [UInt8], to connection: HTTPConnection) {
        let exchange = connection.exchange
        scratch.removeAll(keepingCapacity: true)
        begin(response, exchange, keepsAlive: exchange.keepsAlive)
        // RFC 9110 8.6: none with 204; 304 speaks of another answer's body.
        let isBodyless = response.status == 204 || response.status == 304
        if !isBodyless {
            scratch.append("Content-Length: ")
            scratch.append(decimal: body.count)
            scratch.append("\r\n")
        }
        scratch.append("\r\n")
        let sendsBody = !isBodyless && !exchange.isHead
        guard sendsBody, body.count > copied else {
            if sendsBody { scratch.append(contentsOf: body) }
            return connection.send(scratch)
        }
        connection.send(scratch, more: true)
        connection.send(body)
    }

    /// A head whose body, if any, follows piece by piece.
    static func writeHead(
        _ response: Response, _ extra: [(name: String, value: String)], to connection: HTTPConnection
    ) {
        scratch.removeAll(keepingCapacity: true)
        begin(response, connection.exchange, keepsAlive: connection.exchange.keepsAlive || response.status == 101)
        for header in extra { append(header.name, header.value) }
        scratch.append("\r\n")
        connection.send(scratch)
    }

    private static func begin(_ response: Response, _ exchange: HTTPExchange, keepsAlive: Bool) {
        scratch.append("HTTP/1.1 ")
        scratch.append(decimal: response.status)
        scratch.append(" ")
        scratch.append(reason(response.status))
        scratch.append("\r\nDate: ")
        HTTPDate.append(to: &scratch)
        scratch.append("\r\n")
        for header in response.headers { append(header.name, header.value) }
        if !keepsAlive {
            scratch.append("Connection: close\r\n")
        } else if exchange.isOldVersion {
            scratch.append("Connection: keep-alive\r\n")
        }
    }

    /// A control character in a value, such as a line end from somebody's text, becomes a space: it must not start
    /// a header of its own.
    private static func append(_ name: String, _ value: String) {
        scratch.append(contentsOf: name.utf8)
        scratch.append(": ")
        let start = scratch.count
        scratch.append(contentsOf: value.utf8)
        for index in start..<scratch.count where scratch[index] < 0x20 || scratch[index] == 0x7f {
            scratch[index] = 0x20
        }
        scratch.append("\r\n")
    }

    nonisolated static func reason(_ status: Int) -> StaticString {
        switch status {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Unknown"
        }
    }
}

/// The `Date` header's value, rendered once a second.
@LoopActor enum HTTPDate {
    private static var second = 0
    private static var text: [UInt8] = []

    static func append(to bytes: inout [UInt8]) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        if time.tv_sec != second || text.isEmpty {
            second = time.tv_sec
            text = render(second)
        }
        bytes.append(contentsOf: text)
    }

    /// RFC 9110 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    nonisolated static func render(_ second: Int) -> [UInt8] {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = days[Int(parts.tm_wday) % 7]
        let month = months[Int(parts.tm_mon) % 12]
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return Array("\(day), \(two(parts.tm_mday)) \(month) \(1900 + parts.tm_year) \(time) GMT".utf8)
    }
}

extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(decimal number: Int) {
        if number > 9 { append(decimal: number / 10) }
        append(UInt8(truncatingIfNeeded: 0x30 + abs(number % 10)))
    }

    mutating func append(hexadecimal number: Int) {
        if number > 15 { append(hexadecimal: number >> 4) }
        let digit = UInt8(truncatingIfNeeded: number & 15)
        append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
