import CHiredis

/// The only file that calls hiredis: its reply parser, fed from a socket that the loop watches.
///
/// hiredis' own asynchronous context frees itself inside its callbacks, which is hard to hold right; the parser
/// alone has no such corners.
final class RawRedis {
    private let reader: UnsafeMutablePointer<redisReader>

    struct Malformed: Error {}

    init() {
        guard let reader = redisReaderCreate() else { preconditionFailure("no memory for a reply parser") }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
        if redisReaderFeed(reader, base, bytes.count) != REDIS_OK { throw Malformed() }
    }

    /// The next whole reply, or nil when more bytes are needed.
    func next() throws(Malformed) -> RedisReply? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw Malformed() }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return Self.copy(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func copy(_ reply: redisReply) -> RedisReply {
        switch reply.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .bytes(bytes(of: reply))
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: Int(reply.elements))
            return .array(elements.map { $0.map { copy($0.pointee) } ?? .null })
        default: return .null
        }
    }

    private static func bytes(of reply: redisReply) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: reply.str, count: Int(reply.len)))
    }
}
