import Glibc
@testable import HTTP
import Loop

/// A WebSocket as the server holds it: a real connection on a real loop, fed through a pair of sockets.
///
/// The first byte chooses: a head of the fuzzer's, or frames after a handshake of ours; in one piece or in cuts; a
/// handler that answers, or one that is slow to accept. What the handler is given is held against a reading of the same
/// frames written for this target; with any bytes at all, what the server sends must be whole frames and the
/// connection must end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    let choice = input.byte()
    if choice & 1 == 1 {
        _ = Client.run(Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + input.rest, cutBy: choice)
        return 0
    }
    var script = Script()
    if choice & 2 == 2 { script.bytes = input.rest } else { script.write(&input) }
    let said = Client.run(handshake + script.bytes, cutBy: choice)
    must(said.isSwitched, "an honest handshake is accepted")
    let expected = Model.read(script.bytes)
    must(said.messages == expected, "a handler is given \(said.messages), the frames say \(expected)")
    return 0
}

private let handshake = Array(
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .utf8)
/// Small, so that inputs of the fuzzer's size reach it.
private let longest = 300

/// Frames made of the input: a byte for flags and opcode, one for the length, then as many bytes as there are.
private struct Script {
    var bytes: [UInt8] = []

    mutating func write(_ input: inout Input) {
        while !input.bytes.isEmpty, bytes.count < 8192 {
            let first = input.byte()
            // One byte of length, doubled for the largest, so that both encodings are reached.
            let wanted = Int(input.byte())
            var payload: [UInt8] = []
            while payload.count < wanted, !input.bytes.isEmpty { payload.append(input.byte()) }
            if wanted > 200 { payload += payload }
            append(first, payload)
        }
    }

    private mutating func append(_ first: UInt8, _ payload: [UInt8]) {
        let key: [UInt8] = [first, 0x5a, UInt8(truncatingIfNeeded: payload.count), 0x0f]
        bytes.append(first)
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0xfe, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        }
        bytes += key
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ key[index % 4]) }
    }
}

/// RFC 6455 read once more, plainly: the messages that come before the stream ends, closes or breaks a rule.
private enum Model {
    static func read(_ stream: [UInt8]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var open: (isText: Bool, bytes: [UInt8])?
        var at = 0
        while let frame = Frame(stream, at: &at) {
            guard frame.isMasked, frame.reserved == 0 else { return messages }
            switch frame.opcode {
            case 8: return messages
            case 9, 10:
                guard frame.isFinal, frame.length < 126 else { return messages }
                guard frame.isWhole else { return messages }
            case 0, 1, 2:
                guard (frame.opcode == 0) == (open != nil) else { return messages }
                var message = open ?? (frame.opcode == 1, [])
                guard frame.length <= longest - message.bytes.count, frame.isWhole else { return messages }
                message.bytes += frame.payload
                open = message
                guard frame.isFinal else { continue }
                guard !message.isText || String(validating: message.bytes, as: UTF8.self) != nil else { return messages }
                messages.append(message.bytes)
                open = nil
            default: return messages
            }
        }
        return messages
    }
}

private struct Frame {
    var isFinal = false
    var reserved: UInt8 = 0
    var opcode: UInt8 = 0
    var isMasked = false
    var length = 0
    var payload: [UInt8] = []
    var isWhole = false

    /// Nil when not even the head is there, or the length has two spellings and this is the wrong one.
    init?(_ stream: [UInt8], at: inout Int) {
        var rest = stream[at...]
        guard let first = rest.popFirst(), let second = rest.popFirst() else { return nil }
        (isFinal, reserved, opcode) = (first & 0x80 != 0, first >> 4 & 7, first & 15)
        isMasked = second & 0x80 != 0
        length = Int(second & 0x7f)
        if length > 125 {
            let size = length == 126 ? 2 : 8
            guard rest.count >= size, rest[rest.startIndex] < 0x80 || size == 2 else { return nil }
            length = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
            guard length > (size == 2 ? 125 : 65535) else { return nil }
            rest = rest.dropFirst(size)
        }
        guard isMasked else { return }
        guard rest.count >= 4 else { return nil }
        let key = Array(rest.prefix(4))
        rest = rest.dropFirst(4)
        isWhole = rest.count >= length
        for (index, byte) in rest.prefix(length).enumerated() { payload.append(byte ^ key[index % 4]) }
        at = rest.startIndex + min(length, rest.count)
    }
}

/// The other end of one connection. Everything happens on one thread: the loop runs for one input, and between its
/// turns this client sends the next piece and takes what there is.
private enum Client {
    struct Heard {
        var isSwitched = false
        var messages: [[UInt8]] = []
    }

    static func run(_ bytes: [UInt8], cutBy choice: UInt8) -> Heard {
        var pair: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair) == 0 else {
            fatalError("no sockets")
        }
        let (mine, theirs) = (pair[0], pair[1])
        EventLoop.shared.post {
            Server.open(theirs, choice)
            conversation = Conversation(descriptor: mine, rest: bytes[...], seed: choice)
            turn()
        }
        EventLoop.shared.run()
        close(mine)
        return LoopHeard.take()
    }

    @LoopActor private static var conversation: Conversation?

    @LoopActor private static func turn() {
        guard var now = conversation else { return }
        now.go()
        conversation = now
        guard now.hasEnded, Server.isIdle else {
            must(now.turns < 20_000, "a connection whose client has gone ends")
            return EventLoop.shared.post { turn() }
        }
        LoopHeard.put(said: now.said, messages: Server.heard)
        EventLoop.shared.stop()
    }

    private struct Conversation {
        let descriptor: Int32
        var rest: ArraySlice<UInt8>
        let seed: UInt8
        var state: UInt32
        var said: [UInt8] = []
        var hasEnded = false
        var turns = 0

        init(descriptor: Int32, rest: ArraySlice<UInt8>, seed: UInt8) {
            (self.descriptor, self.rest, self.seed) = (descriptor, rest, seed)
            state = UInt32(seed) &* 2_654_435_761
        }

        mutating func go() {
            turns += 1
            if !rest.isEmpty { sendSome() }
            if rest.isEmpty { shutdown(descriptor, Int32(SHUT_WR)) }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { said += chunk[..<count] }
            if count == 0 || (count < 0 && errno != EAGAIN) { (hasEnded, rest) = (true, []) }
        }

        private mutating func sendSome() {
            state = state &* 1_664_525 &+ 1_013_904_223
            let size = seed & 8 == 0 ? rest.count : Int(state >> 24) % 97 + 1
            let sent = rest.prefix(size).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent > 0 { rest = rest.dropFirst(sent) } else if errno != EAGAIN { rest = [] }
        }
    }
}

/// What the last conversation came to, from the loop to the fuzzer; they share a thread.
private enum LoopHeard {
    nonisolated(unsafe) private static var last = Client.Heard()

    static func put(said: [UInt8], messages: [[UInt8]]) {
        last = Client.Heard(isSwitched: said.starts(with: Array("HTTP/1.1 101 ".utf8)), messages: messages)
        check(said, isSwitched: last.isSwitched)
    }

    static func take() -> Client.Heard { last }

    /// Whatever came, the server speaks properly.
    private static func check(_ said: [UInt8], isSwitched: Bool) {
        guard isSwitched else {
            return must(said.isEmpty || said.starts(with: Array("HTTP/1.1 ".utf8)), "an answer is HTTP")
        }
        guard let end = said.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return must(false, "a head ends") }
        var at = end
        var hasClosed = false
        while at < said.count {
            guard said.count - at >= 2 else { return must(false, "a frame has a head") }
            let (first, second) = (said[at], said[at + 1])
            must(first & 0x70 == 0 && second & 0x80 == 0, "a server masks nothing and sets no reserved bit")
            must([1, 8, 9, 10].contains(first & 15) && first & 0x80 != 0, "a server sends whole messages")
            must(!hasClosed, "nothing comes after a close")
            hasClosed = first & 15 == 8
            var length = Int(second)
            at += 2
            if length == 126 {
                guard said.count - at >= 2 else { return must(false, "a frame has its length") }
                length = Int(said[at]) << 8 | Int(said[at + 1])
                at += 2
            }
            must(length <= 65535 && said.count - at >= length, "a frame is whole")
            if first & 15 == 1 {
                must(String(validating: said[at..<at + length], as: UTF8.self) != nil, "text is UTF-8")
            }
            at += length
        }
    }
}

/// One server without a port; connections are given to it.
@LoopActor private enum Server {
    static var heard: [[UInt8]] = []
    private static var running = 0
    private static var server: HTTPServer?
    private static var answers = false
    private static var patience = 0

    static func open(_ descriptor: Int32, _ choice: UInt8) {
        (heard, answers, patience) = ([], choice & 4 == 4, choice & 16 == 16 ? 3 : 0)
        if server == nil { start() }
        server?.adopt(descriptor, Peer(sockaddr_storage()))
    }

    /// Nobody is connected and every handler has returned.
    static var isIdle: Bool { running == 0 && server?.connectionCount == 0 }

    private static func start() {
        var configuration = HTTPServer.Configuration()
        configuration.webSocketMessage = longest
        configuration.backlog = 2048
        server = try? HTTPServer(host: "127.0.0.1", port: 0, configuration: configuration) { _ in
            // As long as a database takes, in turns of the loop: meanwhile more comes, or the end.
            for _ in 0..<patience { await withUnsafeContinuation { turn in EventLoop.shared.post { turn.resume() } } }
            return Response(101, body: .webSocket { await follow($0) })
        }
    }

    private static func follow(_ socket: WebSocket) async {
        running += 1
        while let message = await socket.receive() {
            heard.append(message)
            // What is no text would make us the liar.
            if answers, String(validating: message, as: UTF8.self) != nil { _ = await socket.send(text: message) }
        }
        running -= 1
    }
}
