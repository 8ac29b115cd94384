import CLinux
import CRabbitMQ
import Glibc

/// What the broker said, copied out of librabbitmq's buffers.
enum Frame {
    case acknowledged(tag: UInt64, multiple: Bool)
    case refused(tag: UInt64, multiple: Bool)
    case returned(messageID: String)
    case delivered(RawDelivery)
    case blocked
    case unblocked
    /// The queue of this consumer is gone.
    case cancelled(consumer: String)
    case other
}

struct RawDelivery {
    var consumer = ""
    var tag: UInt64 = 0
    var redelivered = false
    var routingKey = ""
    var messageID = ""
    var contentType = ""
    var headers: [String: AMQPValue] = [:]
    var body: [UInt8] = []
}

/// One broker connection with one channel: the only file that names librabbitmq's functions.
///
/// Blocking, so it belongs to one thread of its own; `deinit` closes the socket.
final class RawConnection {
    private let state: amqp_connection_state_t
    private let channel: amqp_channel_t = 1

    init(_ configuration: AMQPConfiguration, name: String) throws(AMQPError) {
        guard let state = amqp_new_connection() else { throw .unavailable("out of memory") }
        self.state = state
        let socket = try Self.socket(configuration, state)
        var limit = timeval(configuration.timeout)
        amqp_set_handshake_timeout(state, &limit)
        amqp_set_rpc_timeout(state, &limit)
        try check(amqp_socket_open_noblock(socket, configuration.host, Int32(clamping: configuration.port), &limit))
        // A broker that accepts and then says nothing must not hold a send for ever.
        var milliseconds = UInt32(15_000)
        setsockopt(
            amqp_get_sockfd(state), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds,
            socklen_t(MemoryLayout<UInt32>.size))
        let heartbeat = Int32(clamping: max(1, configuration.heartbeat.components.seconds))
        try check(
            polyclinic_amqp_login(
                state, configuration.virtualHost, heartbeat, name, configuration.user,
                configuration.passwordNow?() ?? configuration.password))
        amqp_channel_open(state, channel)
        try check(amqp_get_rpc_reply(state))
    }

    /// Plain, or TLS 1.2 and above with the broker's certificate and name checked.
    private static func socket(
        _ configuration: AMQPConfiguration, _ state: amqp_connection_state_t
    ) throws(AMQPError) -> OpaquePointer {
        guard let authority = configuration.authorityFile else {
            guard let socket = amqp_tcp_socket_new(state) else { throw .unavailable("out of memory") }
            return socket
        }
        guard let socket = amqp_ssl_socket_new(state) else { throw .unavailable("out of memory") }
        guard amqp_ssl_socket_set_cacert(socket, authority) == AMQP_STATUS_OK.rawValue else {
            throw .unavailable("the authority's certificate cannot be read")
        }
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        return socket
    }

    deinit { amqp_destroy_connection(state) }

    var descriptor: Int32 { amqp_get_sockfd(state) }
    /// Frames wait that `poll` on the descriptor would not show.
    var hasBufferedFrames: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    /// Waits until there may be something to read.
    func wait(milliseconds: Int32) {
        guard !hasBufferedFrames else { return }
        var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&interest, 1, milliseconds)
    }

    // MARK: questions with an answer, each within the timeout

    func declare(_ exchange: Topology.Exchange) throws(AMQPError) {
        let arena = Arena()
        amqp_exchange_declare(
            state, channel, arena.bytes(exchange.name), arena.bytes(exchange.kind), 0, 1, 0, 0,
            arena.table(exchange.arguments))
        try check(amqp_get_rpc_reply(state))
    }

    func declare(_ queue: Topology.Queue) throws(AMQPError) {
        let arena = Arena()
        amqp_queue_declare(state, channel, arena.bytes(queue.name), 0, 1, 0, 0, arena.table(queue.arguments))
        try check(amqp_get_rpc_reply(state))
    }

    /// How many messages are ready in a queue that exists; a missing queue ends the connection.
    func count(_ queue: String) throws(AMQPError) -> Int {
        let arena = Arena()
        let answer = amqp_queue_declare(state, channel, arena.bytes(queue), 1, 1, 0, 0, arena.table([:]))
        try check(amqp_get_rpc_reply(state))
        return answer.map { Int($0.pointee.message_count) } ?? 0
    }

    func bind(_ binding: Topology.Binding) throws(AMQPError) {
        let arena = Arena()
        amqp_queue_bind(
            state, channel, arena.bytes(binding.queue), arena.bytes(binding.exchange), arena.bytes(binding.key),
            arena.table([:]))
        try check(amqp_get_rpc_reply(state))
    }

    func confirmPublishes() throws(AMQPError) {
        amqp_confirm_select(state, channel)
        try check(amqp_get_rpc_reply(state))
    }

    /// The consumer is named after its queue. `prefetch` counts per consumer, as quorum queues want it.
    func consume(_ queue: String, prefetch: UInt16) throws(AMQPError) {
        let arena = Arena()
        amqp_basic_qos(state, channel, 0, prefetch, 0)
        try check(amqp_get_rpc_reply(state))
        amqp_basic_consume(state, channel, arena.bytes(queue), arena.bytes(queue), 0, 0, 0, arena.table([:]))
        try check(amqp_get_rpc_reply(state))
    }

    /// One message at once, or nil when the queue is empty. For tools, not for services: a round trip each.
    func get(_ queue: String) throws(AMQPError) -> RawDelivery? {
        let arena = Arena()
        let reply = amqp_basic_get(state, channel, arena.bytes(queue), 0)
        try check(reply)
        guard reply.reply.id == polyclinic_amqp_get_ok() else { return nil }
        let header = reply.reply.decoded.load(as: amqp_basic_get_ok_t.self)
        var message = RawDelivery()
        message.tag = header.delivery_tag
        message.redelivered = header.redelivered != 0
        message.routingKey = String(header.routing_key)
        try readContent(into: &message)
        return message
    }

    func delete(queue: String) throws(AMQPError) {
        let arena = Arena()
        amqp_queue_delete(state, channel, arena.bytes(queue), 0, 0)
        try check(amqp_get_rpc_reply(state))
    }

    func delete(exchange: String) throws(AMQPError) {
        let arena = Arena()
        amqp_exchange_delete(state, channel, arena.bytes(exchange), 0)
        try check(amqp_get_rpc_reply(state))
    }

    func cancel(consumer: String) throws(AMQPError) {
        let arena = Arena()
        amqp_basic_cancel(state, channel, arena.bytes(consumer))
        try check(amqp_get_rpc_reply(state))
    }

    func close() {
        amqp_connection_close(state, AMQP_REPLY_SUCCESS)
    }

    // MARK: without an answer

    func publish(_ message: OutgoingMessage) throws(AMQPError) {
        let arena = Arena()
        var properties = amqp_basic_properties_t()
        properties._flags = amqp_flags_t(
            AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG
                | AMQP_BASIC_HEADERS_FLAG)
        properties.content_type = arena.bytes(message.contentType)
        properties.delivery_mode = 2
        properties.message_id = arena.bytes(message.messageID)
        properties.headers = arena.table(message.headers)
        try check(
            amqp_basic_publish(
                state, channel, arena.bytes(message.exchange), arena.bytes(message.routingKey), 1, 0, &properties,
                arena.bytes(message.body)))
    }

    func acknowledge(_ tag: UInt64, multiple: Bool = false) throws(AMQPError) {
        try check(amqp_basic_ack(state, channel, tag, multiple ? 1 : 0))
    }

    // MARK: reading

    /// The next thing the broker said, or nil when it has said nothing. Sends heartbeats when they are due and
    /// throws when the broker's are overdue, so call it at least every 250 ms.
    func next() throws(AMQPError) -> Frame? {
        amqp_maybe_release_buffers(state)
        var frame = amqp_frame_t()
        var zero = timeval()
        let status = amqp_simple_wait_frame_noblock(state, &frame, &zero)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        try check(status)
        guard Int(frame.frame_type) == Int(AMQP_FRAME_METHOD) else { return .other }
        return try read(frame.payload.method)
    }

    private func read(_ method: amqp_method_t) throws(AMQPError) -> Frame {
        switch method.id {
        case polyclinic_amqp_ack():
            let ack = method.decoded.load(as: amqp_basic_ack_t.self)
            return .acknowledged(tag: ack.delivery_tag, multiple: ack.multiple != 0)
        case polyclinic_amqp_nack():
            let nack = method.decoded.load(as: amqp_basic_nack_t.self)
            return .refused(tag: nack.delivery_tag, multiple: nack.multiple != 0)
        case polyclinic_amqp_return():
            var message = RawDelivery()
            try readContent(into: &message)
            return .returned(messageID: message.messageID)
        case polyclinic_amqp_deliver():
            let deliver = method.decoded.load(as: amqp_basic_deliver_t.self)
            var message = RawDelivery()
            message.consumer = String(deliver.consumer_tag)
            message.tag = deliver.delivery_tag
            message.redelivered = deliver.redelivered != 0
            message.routingKey = String(deliver.routing_key)
            try readContent(into: &message)
            return .delivered(message)
        case polyclinic_amqp_cancel():
            return .cancelled(consumer: String(method.decoded.load(as: amqp_basic_cancel_t.self).consumer_tag))
        case polyclinic_amqp_blocked(): return .blocked
        case polyclinic_amqp_unblocked(): return .unblocked
        case polyclinic_amqp_channel_close():
            let close = method.decoded.load(as: amqp_channel_close_t.self)
            throw .refused(code: Int(close.reply_code), String(close.reply_text))
        case polyclinic_amqp_connection_close():
            let close = method.decoded.load(as: amqp_connection_close_t.self)
            throw .unavailable(String(close.reply_text))
        default: return .other
        }
    }

    /// The header and body that follow a `deliver` or `return`; heartbeats bound the wait.
    private func readContent(into delivery: inout RawDelivery) throws(AMQPError) {
        var message = amqp_message_t()
        try check(amqp_read_message(state, channel, &message, 0))
        defer { amqp_destroy_message(&message) }
        let properties = message.properties
        func isSet(_ flag: Int32) -> Bool { properties._flags & amqp_flags_t(flag) != 0 }
        if isSet(AMQP_BASIC_MESSAGE_ID_FLAG) { delivery.messageID = String(properties.message_id) }
        if isSet(AMQP_BASIC_CONTENT_TYPE_FLAG) { delivery.contentType = String(properties.content_type) }
        if isSet(AMQP_BASIC_HEADERS_FLAG) { delivery.headers = read(properties.headers) }
        delivery.body = Array(UnsafeRawBufferPointer(start: message.body.bytes, count: message.body.len))
    }

    /// Words, whole numbers and flags; the broker's nested tables (`x-death`) are of no use to us.
    private func read(_ table: amqp_table_t) -> [String: AMQPValue] {
        var result: [String: AMQPValue] = [:]
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            let value = entry.value.value
            let read: AMQPValue? =
                switch UInt32(entry.value.kind) {
                case AMQP_FIELD_KIND_UTF8.rawValue, AMQP_FIELD_KIND_BYTES.rawValue: .text(String(value.bytes))
                case AMQP_FIELD_KIND_BOOLEAN.rawValue: .flag(value.boolean != 0)
                case AMQP_FIELD_KIND_I64.rawValue: .number(value.i64)
                case AMQP_FIELD_KIND_I32.rawValue: .number(Int64(value.i32))
                case AMQP_FIELD_KIND_I16.rawValue: .number(Int64(value.i16))
                case AMQP_FIELD_KIND_I8.rawValue: .number(Int64(value.i8))
                case AMQP_FIELD_KIND_U64.rawValue: Int64(exactly: value.u64).map(AMQPValue.number)
                case AMQP_FIELD_KIND_U32.rawValue: .number(Int64(value.u32))
                case AMQP_FIELD_KIND_U16.rawValue: .number(Int64(value.u16))
                case AMQP_FIELD_KIND_U8.rawValue: .number(Int64(value.u8))
                default: nil
                }
            if let read { result[String(entry.key)] = read }
        }
        return result
    }

    // MARK: faults

    private func check(_ status: Int32) throws(AMQPError) {
        guard status < 0 else { return }
        throw .unavailable(String(cString: amqp_error_string2(status)))
    }

    private func check(_ reply: amqp_rpc_reply_t) throws(AMQPError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            if reply.reply.id == polyclinic_amqp_channel_close() {
                let close = reply.reply.decoded.load(as: amqp_channel_close_t.self)
                throw .refused(code: Int(close.reply_code), String(close.reply_text))
            }
            if reply.reply.id == polyclinic_amqp_connection_close() {
                let close = reply.reply.decoded.load(as: amqp_connection_close_t.self)
                throw .refused(code: Int(close.reply_code), String(close.reply_text))
            }
            throw .unavailable("unexpected method \(reply.reply.id)")
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            throw .unavailable(String(cString: amqp_error_string2(reply.library_error)))
        default: throw .unavailable("the broker did not answer")
        }
    }
}

/// Memory that one call to librabbitmq reads from, freed together after it.
private final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    func bytes(_ text: String) -> amqp_bytes_t { bytes(Array(text.utf8)) }

    func bytes(_ array: [UInt8]) -> amqp_bytes_t {
        guard !array.isEmpty else { return amqp_bytes_t(len: 0, bytes: nil) }
        let block = UnsafeMutableRawPointer.allocate(byteCount: array.count, alignment: 1)
        block.copyMemory(from: array, byteCount: array.count)
        blocks.append(block)
        return amqp_bytes_t(len: array.count, bytes: block)
    }

    func table(_ values: [String: AMQPValue]) -> amqp_table_t {
        guard !values.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
        let stride = MemoryLayout<amqp_table_entry_t>.stride
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: stride * values.count, alignment: MemoryLayout<amqp_table_entry_t>.alignment)
        blocks.append(block)
        let entries = block.bindMemory(to: amqp_table_entry_t.self, capacity: values.count)
        for (index, (name, value)) in values.enumerated() {
            var entry = amqp_table_entry_t()
            entry.key = bytes(name)
            switch value {
            case .text(let text):
                entry.value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
                entry.value.value.bytes = bytes(text)
            case .number(let number):
                entry.value.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
                entry.value.value.i64 = number
            case .flag(let flag):
                entry.value.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
                entry.value.value.boolean = flag ? 1 : 0
            }
            entries.advanced(by: index).initialize(to: entry)
        }
        return amqp_table_t(num_entries: Int32(values.count), entries: entries)
    }
}

extension String {
    fileprivate init(_ bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
