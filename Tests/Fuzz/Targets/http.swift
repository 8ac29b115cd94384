import HTTP

/// The HTTP/1.1 parser. Where packets end must not change what a stream says: the same bytes, cut anywhere, give the
/// same messages and the same end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    let seed = input.byte()
    let stream = input.rest
    var limits = HTTPParser.Limits()
    if seed & 1 == 1 {
        // Small, so that inputs of the fuzzer's size reach them.
        limits.requestLine = 48
        limits.headerBytes = 96
        limits.headers = 4
        limits.body = 64
    }
    let whole = read(stream, limits, cutBy: 0)
    let pieces = read(stream, limits, cutBy: seed | 2)
    let bytewise = read(stream, limits, cutBy: 1)
    must(whole == pieces, "cut into pieces: \(whole) \(pieces)")
    must(whole == bytewise, "byte by byte: \(whole) \(bytewise)")
    return 0
}

private func read(_ stream: [UInt8], _ limits: HTTPParser.Limits, cutBy seed: UInt8) -> [String] {
    var reader = Reader(limits)
    return reader.read(stream, cutBy: seed)
}

private struct Reader {
    var parser: HTTPParser
    let limits: HTTPParser.Limits
    var unread: [UInt8] = []
    var said: [String] = []
    var ended = false

    init(_ limits: HTTPParser.Limits) {
        self.limits = limits
        parser = HTTPParser(limits: limits)
    }

    /// 0 is in one piece, 1 byte by byte, anything else a pattern of cuts.
    mutating func read(_ stream: [UInt8], cutBy seed: UInt8) -> [String] {
        var state = UInt32(seed) &* 2_654_435_761
        var rest = stream[...]
        while !rest.isEmpty, !ended {
            state = state &* 1_664_525 &+ 1_013_904_223
            let size = seed == 0 ? rest.count : seed == 1 ? 1 : Int(state >> 24) % 19 + 1
            feed(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        if !ended { said.append(parser.isInBody ? "waits for a body" : "waits") }
        return said
    }

    private mutating func feed(_ bytes: ArraySlice<UInt8>) {
        unread.append(contentsOf: bytes)
        while !ended {
            let (consumed, event) = unread.withUnsafeBytes { parser.parse($0) }
            must(consumed <= unread.count, "no more is consumed than there is")
            unread.removeFirst(consumed)
            switch event {
            case .needsMore: return
            case .expectsContinue:
                must(unread.isEmpty, "a client that sent its body does not wait for 100")
                return
            case .message(let message):
                must(message.body.count <= limits.body, "a body is within its limit")
                must(message.headers.count <= limits.headers, "headers are within their limit")
                must(!message.path.isEmpty && !message.path.utf8.contains(0), "a path is a path")
                said.append("\(message.method) \(message.path)?\(message.query) \(message.headers) \(message.body) \(message.keepsAlive)")
            case .refused:
                // Which refusal may differ: what comes first is judged first. That it is refused may not.
                said.append("refused")
                ended = true
            }
        }
    }
}
