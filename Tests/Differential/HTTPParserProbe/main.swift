import Glibc
import HTTP
import JSON

// Reads byte streams from stdin (each behind its length, four bytes big-endian) and prints for each, as one JSON
// line, what our parser makes of it. `h11_differential.py` compares that with what h11 makes of it.

func readExactly(_ count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
        var part = [UInt8](repeating: 0, count: count - bytes.count)
        let got = read(STDIN_FILENO, &part, part.count)
        guard got > 0 else { return nil }
        bytes += part[..<got]
    }
    return bytes
}

func understood(_ stream: [UInt8]) -> [UInt8] {
    var parser = HTTPParser()
    var messages: [HTTPMessage] = []
    var rest = stream[...]
    var refused: Int?
    reading: while refused == nil {
        let (consumed, event) = rest.withUnsafeBytes { parser.parse($0) }
        rest = rest.dropFirst(consumed)
        switch event {
        case .needsMore: break reading
        case .expectsContinue: if rest.isEmpty { break reading }
        case .message(let message):
            messages.append(message)
            // A connection would not read on.
            if !message.keepsAlive || message.isOldVersion { break reading }
        case .refused(let refusal): refused = refusal.status
        }
    }
    var json = JSONWriter()
    json.object {
        $0.array("messages", messages) { json, message in
            json.object {
                $0.field("method", message.method)
                $0.field("target", message.query.isEmpty ? message.path : message.path + "?" + message.query)
                $0.array("headers", message.headers) { $0.value([$1.name, $1.value]) }
                $0.field("body", message.body.map(Int.init))
            }
        }
        $0.field("refused", refused)
        $0.field("inBody", parser.isInBody)
    }
    return json.bytes + [0x0a]
}

while let length = readExactly(4) {
    let count = length.reduce(0) { $0 << 8 | Int($1) }
    guard count <= 1 << 24, let stream = readExactly(count) else { exit(1) }
    var line = understood(stream)[...]
    while !line.isEmpty {
        let sent = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        guard sent > 0 else { exit(1) }
        line = line.dropFirst(sent)
    }
}
