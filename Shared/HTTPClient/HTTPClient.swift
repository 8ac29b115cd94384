import CLinux
import Loop

/// Asks other HTTP servers, on the loop: connections are kept and reused, redirects are not followed, and
/// nothing but `http` and `https` is spoken.
///
/// Deadlines are total. An answer of more than 1 MB, or of what the caller allows, is refused while it arrives.
@LoopActor package final class HTTPClient {
    package struct Answer: Sendable {
        package let status: Int
        /// Names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]
        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    package enum Failure: Error, Sendable, Equatable {
        /// Not a URL or a header that we send.
        case invalid
        /// Refused, unreachable, cut off. The reason is libcurl's and quotes no data.
        case unreachable(String)
        case timeout
        case tooLarge
        /// Too many requests are under way already.
        case overloaded
    }

    package nonisolated static let bodyLimit = 1_048_576
    private nonisolated static let capacity = 256
    private let multi: RawMulti?
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]
    private var watched: [Int32: Watched] = [:]
    private var timer: UInt64?

    private final class Transfer {
        let easy: RawEasy
        var continuation: CheckedContinuation<Answer, any Error>?
        init(_ easy: RawEasy) { self.easy = easy }
    }

    package init(connectionsPerHost: Int = 16) {
        multi = RawMulti(connectionsPerHost: connectionsPerHost)
        multi?.watch = { [weak self] socket, readable, writable in
            LoopActor.assumeOnLoop { self?.watch(socket, readable, writable) }
        }
        multi?.setTimer = { [weak self] milliseconds in LoopActor.assumeOnLoop { self?.setTimer(milliseconds) } }
    }

    package func request(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        deadline: Duration = .seconds(2), limit: Int = bodyLimit
    ) async throws -> Answer {
        try await request(
            method, url, headers: headers, body: body, deadline: deadline, pins: [], onlyTLS: false, limit: limit)
    }

    /// `pins` are `host:port:address` and replace looking the host up; see `OutboundClient`.
    func request(
        _ method: String, _ url: String, headers: [(name: String, value: String)], body: [UInt8]?, deadline: Duration,
        pins: [String], onlyTLS: Bool, limit: Int = bodyLimit
    ) async throws -> Answer {
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), Self.isPlain(url), Self.isPlain(method),
            headers.allSatisfy({ Self.isPlain($0.name) && Self.isPlain($0.value) })
        else { throw Failure.invalid }
        guard transfers.count < Self.capacity else { throw Failure.overloaded }
        guard let multi,
            let easy = RawEasy(
                method: method, url: url, headers: headers, body: body, deadline: deadline, limit: limit,
                pins: pins, onlyTLS: onlyTLS)
        else { throw Failure.unreachable("out of memory") }
        let transfer = Transfer(easy)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                transfer.continuation = continuation
                transfers[easy.handle] = transfer
                guard !Task.isCancelled, multi.add(easy) else {
                    return end(easy.handle, with: .failure(CancellationError()))
                }
            }
        } onCancel: { [handle = Int(bitPattern: easy.handle)] in
            EventLoop.shared.post { self.cancel(handle) }
        }
    }

    private func cancel(_ handle: Int) {
        guard let handle = UnsafeMutableRawPointer(bitPattern: handle), let transfer = transfers[handle] else { return }
        multi?.remove(transfer.easy)
        end(handle, with: .failure(CancellationError()))
    }

    /// No line end or NUL can slip a header of a client's making into ours.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }

    // MARK: what libcurl asks of the loop

    private func watch(_ socket: Int32, _ readable: Bool, _ writable: Bool) {
        let events = (readable ? EventLoop.readable : 0) | (writable ? EventLoop.writable : 0)
        if events == 0 {
            if let channel = watched.removeValue(forKey: socket) { EventLoop.shared.unregister(channel) }
        } else if let channel = watched[socket] {
            EventLoop.shared.modify(channel, events: events)
        } else {
            let channel = Watched(fd: socket) { [weak self] events in self?.on(socket, events) }
            if EventLoop.shared.register(channel, events: events) { watched[socket] = channel }
        }
    }

    private func setTimer(_ milliseconds: Int) {
        if let timer { EventLoop.shared.cancelTimer(timer) }
        timer = nil
        guard milliseconds >= 0 else { return }
        // Never at once: libcurl may be calling from inside one of our calls to it.
        timer = EventLoop.shared.after(.milliseconds(milliseconds)) { [weak self] in
            self?.timer = nil
            self?.multi?.expire()
            self?.collect()
        }
    }

    private func on(_ socket: Int32, _ events: UInt32) {
        multi?.ready(
            socket, readable: events & (EventLoop.readable | EventLoop.hungUp) != 0,
            writable: events & EventLoop.writable != 0, failed: events & EventLoop.failed != 0)
        collect()
    }

    private func collect() {
        guard let multi else { return }
        for (handle, code) in multi.finished() {
            guard let transfer = transfers[handle] else { continue }
            multi.remove(transfer.easy)
            let easy = transfer.easy
            if code == CurlCode.ok {
                end(handle, with: .success(Answer(status: easy.status, headers: easy.headers, body: easy.body)))
            } else if easy.isTooLarge {
                end(handle, with: .failure(Failure.tooLarge))
            } else if code == CurlCode.timedOut {
                end(handle, with: .failure(Failure.timeout))
            } else {
                end(handle, with: .failure(Failure.unreachable(CurlCode.words(code))))
            }
        }
    }

    private func end(_ handle: UnsafeMutableRawPointer, with result: Result<Answer, any Error>) {
        guard let transfer = transfers.removeValue(forKey: handle) else { return }
        transfer.continuation?.resume(with: result)
        transfer.continuation = nil
    }
}

/// A socket of libcurl's; libcurl closes it.
@LoopActor private final class Watched: Channel {
    private let ready: @LoopActor (UInt32) -> Void
    init(fd: Int32, _ ready: @escaping @LoopActor (UInt32) -> Void) {
        self.ready = ready
        super.init(fd: fd)
    }
    override func onEvent(_ events: UInt32) { ready(events) }
}
