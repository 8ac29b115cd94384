import CCurl
import CLinux
import Glibc

/// The only file that names libcurl's functions.
///
/// libcurl's multi interface does no waiting of its own: it says which sockets to watch and when to call back.
/// Callbacks run inside calls of ours, on the loop's thread.
final class RawMulti {
    private let multi: OpaquePointer
    /// Watch this socket for readable / writable, or not at all when both are false.
    var watch: (_ socket: Int32, _ readable: Bool, _ writable: Bool) -> Void = { _, _, _ in }
    /// Call `expire` after so many milliseconds; negative: never mind.
    var setTimer: (_ milliseconds: Int) -> Void = { _ in }

    init?(connectionsPerHost: Int) {
        guard curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK, let multi = curl_multi_init() else { return nil }
        self.multi = OpaquePointer(multi)
        let me = Unmanaged.passUnretained(self).toOpaque()
        polyclinic_curl_multi_socket(
            multi,
            { _, socket, what, data, _ in
                guard let data else { return 0 }
                let me = Unmanaged<RawMulti>.fromOpaque(data).takeUnretainedValue()
                let both = what == CURL_POLL_INOUT
                me.watch(socket, both || what == CURL_POLL_IN, both || what == CURL_POLL_OUT)
                return 0
            }, me)
        polyclinic_curl_multi_timer(
            multi,
            { _, milliseconds, data in
                guard let data else { return 0 }
                Unmanaged<RawMulti>.fromOpaque(data).takeUnretainedValue().setTimer(milliseconds)
                return 0
            }, me)
        polyclinic_curl_multi_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
    }

    deinit { curl_multi_cleanup(UnsafeMutableRawPointer(multi)) }

    func add(_ easy: RawEasy) -> Bool { curl_multi_add_handle(UnsafeMutableRawPointer(multi), easy.handle) == CURLM_OK }
    func remove(_ easy: RawEasy) { curl_multi_remove_handle(UnsafeMutableRawPointer(multi), easy.handle) }

    func ready(_ socket: Int32, readable: Bool, writable: Bool, failed: Bool) {
        var running: Int32 = 0
        var what: Int32 = 0
        if readable { what |= CURL_CSELECT_IN }
        if writable { what |= CURL_CSELECT_OUT }
        if failed { what |= CURL_CSELECT_ERR }
        curl_multi_socket_action(UnsafeMutableRawPointer(multi), socket, what, &running)
    }

    func expire() {
        var running: Int32 = 0
        curl_multi_socket_action(UnsafeMutableRawPointer(multi), CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// Every transfer that ended since the last call, by its handle, with 0 or libcurl's error.
    func finished() -> [(handle: UnsafeMutableRawPointer, code: UInt32)] {
        var result: [(handle: UnsafeMutableRawPointer, code: UInt32)] = []
        var left: Int32 = 0
        while let message = curl_multi_info_read(UnsafeMutableRawPointer(multi), &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            result.append((handle, message.pointee.data.result.rawValue))
        }
        return result
    }
}

/// One transfer. Owns everything libcurl reads from and writes to while it runs.
final class RawEasy {
    let handle: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var pinList: UnsafeMutablePointer<curl_slist>?
    private var upload: UnsafeMutablePointer<CChar>?
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []
    private(set) var isTooLarge = false
    private let limit: Int

    init?(
        method: String, url: String, headers: [(name: String, value: String)], body: [UInt8]?, deadline: Duration,
        limit: Int, pins: [String] = [], onlyTLS: Bool = false
    ) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.limit = limit
        let me = Unmanaged.passUnretained(self).toOpaque()
        polyclinic_curl_set_string(handle, CURLOPT_URL, url)
        polyclinic_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, method)
        if method == "HEAD" { polyclinic_curl_set_long(handle, CURLOPT_NOBODY, 1) }
        polyclinic_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, onlyTLS ? "https" : "http,https")
        polyclinic_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        polyclinic_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        polyclinic_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 1000)
        let (seconds, attoseconds) = deadline.components
        polyclinic_curl_set_long(
            handle, CURLOPT_TIMEOUT_MS,
            max(1, Int(clamping: seconds) &* 1000 &+ Int(attoseconds / 1_000_000_000_000_000)))
        polyclinic_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Nothing in between may see what we ask: the environment's proxies are not ours.
        polyclinic_curl_set_string(handle, CURLOPT_PROXY, "")
        for header in headers { append(header.name + ": " + header.value) }
        for pin in pins {
            if let longer = curl_slist_append(pinList, pin) { pinList = longer }
        }
        if let pinList { polyclinic_curl_set_pointer(handle, CURLOPT_RESOLVE, pinList) }
        append("Expect:")
        polyclinic_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList)
        if let body {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, body.count))
            body.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress {
                    UnsafeMutableRawPointer(copy).copyMemory(from: base, byteCount: bytes.count)
                }
            }
            upload = copy
            polyclinic_curl_set_pointer(handle, CURLOPT_POSTFIELDS, copy)
            polyclinic_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
            polyclinic_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, method)
        }
        polyclinic_curl_set_write(
            handle, CURLOPT_WRITEFUNCTION,
            { bytes, size, count, data in
                guard let bytes, let data else { return 0 }
                return Unmanaged<RawEasy>.fromOpaque(data).takeUnretainedValue().receive(bytes, size * count)
            })
        polyclinic_curl_set_pointer(handle, CURLOPT_WRITEDATA, me)
        polyclinic_curl_set_write(
            handle, CURLOPT_HEADERFUNCTION,
            { bytes, size, count, data in
                guard let bytes, let data else { return 0 }
                return Unmanaged<RawEasy>.fromOpaque(data).takeUnretainedValue().receiveHeader(bytes, size * count)
            })
        polyclinic_curl_set_pointer(handle, CURLOPT_HEADERDATA, me)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headerList)
        curl_slist_free_all(pinList)
        upload?.deallocate()
    }

    var status: Int {
        var code = 0
        polyclinic_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &code)
        return code
    }

    private func append(_ line: String) {
        if let longer = curl_slist_append(headerList, line) { headerList = longer }
    }

    /// Fewer bytes than given ends the transfer.
    private func receive(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        guard body.count + count <= limit else {
            isTooLarge = true
            return 0
        }
        body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }

    private func receiveHeader(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        guard headers.count < 200 else {
            isTooLarge = true
            return 0
        }
        let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        // An interim answer (100, 103) has a head of its own; only the last one counts.
        if line.hasPrefix("HTTP/") { headers.removeAll() }
        guard let colon = line.firstIndex(of: ":") else { return count }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
        headers.append((line[..<colon].lowercased(), String(value[..<end])))
        return count
    }
}

enum CurlCode {
    static let ok = CURLE_OK.rawValue
    static let timedOut = CURLE_OPERATION_TIMEDOUT.rawValue
    static func words(_ code: UInt32) -> String { String(cString: curl_easy_strerror(CURLcode(rawValue: code))) }
}
