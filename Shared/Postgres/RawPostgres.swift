import CLibpq
import Glibc

/// The only file that calls libpq. It owns one `PGconn`; the pointer never leaves it.
///
/// Everything is non-blocking: `poll` while connecting, then `flush` and `consume` when the socket is ready.
final class RawPostgres {
    enum Progress { case wantsRead, wantsWrite, connected, failed }
    enum Flush { case done, wantsWrite, failed }

    private let connection: OpaquePointer
    // Reused by every execution, so that binding allocates nothing once they have grown.
    private var scratch: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var values: [UnsafePointer<CChar>?] = []

    /// Starts to connect. No name is looked up: `settings` carry `hostaddr` or a socket's folder.
    init?(_ settings: [(name: String, value: String)]) {
        let names = settings.map { strdup($0.name) }
        let values = settings.map { strdup($0.value) }
        defer { (names + values).forEach { free($0) } }
        let keywords: [UnsafePointer<CChar>?] = names.map { UnsafePointer($0) } + [nil]
        let words: [UnsafePointer<CChar>?] = values.map { UnsafePointer($0) } + [nil]
        guard let connection = PQconnectStartParams(keywords, words, 0) else { return nil }
        self.connection = connection
        // Left alone, libpq prints notices, which may quote a row, to standard error.
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    var isBad: Bool { PQstatus(connection) == CONNECTION_BAD }
    var socket: Int32 { PQsocket(connection) }
    /// Says where and whom, never the password.
    var errorMessage: String { String(cString: PQerrorMessage(connection)).trimmed }

    func poll() -> Progress {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: .wantsRead
        case PGRES_POLLING_WRITING: .wantsWrite
        case PGRES_POLLING_OK: .connected
        default: .failed
        }
    }

    func becomeNonblocking() -> Bool { PQsetnonblocking(connection, 1) == 0 }
    func enterPipeline() -> Bool { PQenterPipelineMode(connection) == 1 }

    func prepare(_ name: String, _ text: String) -> Bool {
        PQsendPrepare(connection, name, text, 0, nil) == 1
    }

    func execute(prepared name: String, _ parameters: [SQLParameter]) -> Bool {
        bind(parameters) { count, values, lengths, formats in
            PQsendQueryPrepared(connection, name, count, values, lengths, formats, 0) == 1
        }
    }

    /// One statement that is parsed for this execution only.
    func execute(_ text: String, _ parameters: [SQLParameter] = []) -> Bool {
        bind(parameters) { count, values, lengths, formats in
            PQsendQueryParams(connection, text, count, nil, values, lengths, formats, 0) == 1
        }
    }

    /// Several statements in one text, outside pipeline mode only.
    func script(_ text: String) -> Bool { PQsendQuery(connection, text) == 1 }

    func sync() -> Bool { PQpipelineSync(connection) == 1 }

    func flush() -> Flush {
        switch PQflush(connection) {
        case 0: .done
        case 1: .wantsWrite
        default: .failed
        }
    }

    /// Reads what has arrived; false when the server is gone.
    func consume() -> Bool { PQconsumeInput(connection) == 1 }

    /// False when `next` can answer without waiting.
    var isBusy: Bool { PQisBusy(connection) != 0 }

    /// Nil at the end of one statement's results, and when nothing is owed.
    func next() -> RawResult? { PQgetResult(connection).map(RawResult.init) }

    /// The channel of the next notification that has arrived.
    func notification() -> String? {
        guard let notice = PQnotifies(connection) else { return nil }
        defer { PQfreemem(notice) }
        return String(cString: notice.pointee.relname)
    }

    /// Lays the parameters out as C strings, and `bytea` as it is.
    private func bind(
        _ parameters: [SQLParameter],
        _ send: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Bool
    ) -> Bool {
        guard let count = Int32(exactly: parameters.count) else { return false }
        scratch.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        for parameter in parameters {
            let start = scratch.count
            switch parameter {
            case .null: offsets.append(-1)
            case .text(let text):
                offsets.append(start)
                scratch.append(contentsOf: text.utf8)
            case .bytes(let bytes):
                offsets.append(start)
                scratch.append(contentsOf: bytes)
            }
            guard let length = Int32(exactly: scratch.count - start) else { return false }
            lengths.append(length)
            if case .bytes = parameter { formats.append(1) } else { formats.append(0) }
            scratch.append(0)
        }
        return scratch.withUnsafeBytes { bytes in
            for offset in offsets {
                values.append(
                    offset < 0 ? nil : bytes.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) })
            }
            return values.withUnsafeBufferPointer { send(count, $0.baseAddress, lengths, formats) }
        }
    }
}

/// What the server answered to one statement. It owns the `PGresult` and frees it.
///
/// libpq documents a result as safe to read from any thread, and nothing here changes it.
final class RawResult: @unchecked Sendable {
    enum Status { case rows, failed, aborted, sync, unexpected }

    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }
    deinit { PQclear(result) }

    var status: Status {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: .rows
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_EMPTY_QUERY: .failed
        case PGRES_PIPELINE_ABORTED: .aborted
        case PGRES_PIPELINE_SYNC: .sync
        default: .unexpected
        }
    }

    var rowCount: Int { Int(PQntuples(result)) }
    var columnCount: Int { Int(PQnfields(result)) }
    /// `COMMIT`, `INSERT 0 1`, …
    var tag: String { String(cString: PQcmdStatus(result)) }
    /// Rows inserted, updated, deleted or selected.
    var affected: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    var error: PostgresError {
        // The PG_DIAG_* characters, which Swift does not import. DETAIL is not read: it quotes values.
        // What libpq itself reports has no SQLSTATE and always means that the server is gone.
        let state = field("C") ?? PostgresError.lost.sqlState
        let message = field("M") ?? String(cString: PQresultErrorMessage(result)).trimmed
        return PostgresError(sqlState: state, constraint: field("n"), message: message)
    }

    /// Reads one value in place; nil is null. `row` and `column` are within `rowCount` and `columnCount`.
    @inline(__always)
    func read<T>(row: Int32, column: Int32, _ body: (UnsafeRawBufferPointer) -> T) -> T? {
        if PQgetisnull(result, row, column) != 0 { return nil }
        let count = Int(PQgetlength(result, row, column))
        return body(UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: count))
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
}

extension String {
    /// libpq ends its messages with a newline.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
