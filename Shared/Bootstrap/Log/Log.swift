import Glibc
import HTTP
import JSON
import Loop
import Primitives

/// JSON lines on standard output. It never blocks the loop: what the reader does not take in time waits in a
/// bounded buffer, and what does not fit there is dropped and counted.
@LoopActor package final class Log {
    package nonisolated let service: String
    package nonisolated let level: LogLevel
    private(set) var dropped = 0

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isFlushPlanned = false
    /// The reader is slower than we write: only the timer tries again.
    private var isStalled = false
    private var second: Int64 = .min
    private var secondText: [UInt8] = []
    private static let capacity = 1 << 20
    /// A pipe that polls as writable takes this much without blocking (POSIX `PIPE_BUF`).
    private static let chunk = 4096

    package nonisolated init(service: String, level: LogLevel, descriptor: Int32 = STDOUT_FILENO) {
        self.service = service
        self.level = level
        self.descriptor = descriptor
    }

    /// One line. `message` is a fixed phrase; fields are names, counts, codes and ids: never what a client sent.
    package func write(_ level: LogLevel, _ message: StaticString, _ fields: (name: StaticString, value: String)...) {
        write(level, text: "\(message)", fields.map { ("\($0.name)", $0.value) })
    }

    func write(_ level: LogLevel, text: String, _ fields: [(name: String, value: String)]) {
        guard level >= self.level else { return }
        var json = JSONWriter(reserving: 256)
        json.object {
            $0.field("time", Timestamp.now())
            $0.field("level", level.rawValue)
            $0.field("service", service)
            $0.field("message", text)
            for field in fields { $0.field(field.name, field.value) }
        }
        append(json.bytes)
        if level == .error { flush() }
    }

    /// The canonical line of a request: a fixed list of fields. Runs for every request, so it writes bytes directly.
    func write(_ line: RequestLine) {
        // 503 is what a dependency did to us; the other 5xx are our own.
        let level: LogLevel = line.status < 500 ? .info : line.status == 503 ? .warning : .error
        guard level >= self.level, buffer.count < Self.capacity else {
            if level >= self.level { dropped += 1 }
            return
        }
        append(#"{"time":""#)
        stamp(Timestamp.now())
        append(#"","level":""#)
        buffer.append(contentsOf: level.rawValue.utf8)
        buffer.append(0x22)
        buffer.append(contentsOf: line.route)
        append(#","status":"#)
        decimal(UInt64(clamping: line.status))
        append(#","ms":"#)
        decimal(line.microseconds / 1000)
        buffer.append(0x2e)
        let fraction = line.microseconds % 1000
        threeDigits(fraction)
        append(#","traceId":""#)
        buffer.append(contentsOf: line.traceparent.utf8.dropFirst(3).prefix(32))
        buffer.append(0x22)
        if let caller = line.caller {
            append(#","tenant":""#)
            identifier(caller.tenant)
            append(#"","account":""#)
            identifier(caller.account)
            append(#"","role":""#)
            buffer.append(contentsOf: caller.role.utf8)
            buffer.append(0x22)
        }
        if let code = line.code {
            append(#","code":""#)
            buffer.append(contentsOf: code.utf8)
            buffer.append(0x22)
        }
        append("}\n")
        planFlush()
    }

    /// Waits up to a second for the reader: for the last lines of a process.
    package func flushBeforeExit() {
        for _ in 0..<100 where !buffer.isEmpty {
            flush()
            if !buffer.isEmpty { usleep(10_000) }
        }
    }

    // MARK: bytes

    private func append(_ bytes: [UInt8]) {
        guard buffer.count + bytes.count < Self.capacity else {
            dropped += 1
            return
        }
        buffer.append(contentsOf: bytes)
        buffer.append(0x0a)
        planFlush()
    }

    private func planFlush() {
        if buffer.count > 32_768 && !isStalled { return flush() }
        guard !isFlushPlanned else { return }
        isFlushPlanned = true
        EventLoop.shared.after(.milliseconds(50)) { [weak self] in
            self?.isFlushPlanned = false
            self?.flush()
        }
    }

    private func flush() {
        var sent = 0
        while sent < buffer.count {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&waiting, 1, 0) == 1 else { break }
            let count = min(Self.chunk, buffer.count - sent)
            let wrote = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: sent), count) }
            if wrote < 0 && errno == EINTR { continue }
            if wrote <= 0 {
                // Nobody will ever read it (EPIPE, EBADF): do not keep it.
                if errno != EAGAIN { sent = buffer.count }
                break
            }
            sent += wrote
        }
        buffer.removeFirst(sent)
        isStalled = !buffer.isEmpty
        if isStalled { planFlush() }
    }

    private func stamp(_ time: Timestamp) {
        let second = time.microseconds / 1_000_000
        if second != self.second {
            self.second = second
            secondText = Array(Timestamp(microseconds: second * 1_000_000).description.utf8.dropLast())
        }
        buffer.append(contentsOf: secondText)
        let millisecond = UInt64(clamping: time.microseconds / 1000 % 1000)
        buffer.append(0x2e)
        threeDigits(millisecond)
        buffer.append(0x5a)
    }

    private func append(_ text: StaticString) {
        buffer.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func threeDigits(_ number: UInt64) {
        buffer.append(UInt8(0x30 + number / 100 % 10))
        buffer.append(UInt8(0x30 + number / 10 % 10))
        buffer.append(UInt8(0x30 + number % 10))
    }

    private func decimal(_ number: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var at = 20
            var rest = number
            repeat {
                at -= 1
                digits[at] = UInt8(0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            buffer.append(contentsOf: digits[at...])
        }
    }

    private func identifier<Kind>(_ id: ID<Kind>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            id.write(to: text)
            buffer.append(contentsOf: text)
        }
    }
}

/// What is said of a request: nothing of its path but the pattern, nothing of its body.
struct RequestLine {
    /// `,"service":…,"method":…,"route":…` written once per route.
    let route: [UInt8]
    let status: Int
    let microseconds: UInt64
    let traceparent: String
    let caller: (tenant: TenantID, account: AccountID, role: String)?
    let code: String?

    static func prefix(service: String, method: String, route: String) -> [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("service", service)
            $0.field("method", method)
            $0.field("route", route)
        }
        return [0x2c] + json.bytes.dropFirst().dropLast()
    }
}
