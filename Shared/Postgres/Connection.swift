import Loop

/// One session with the server: connects asynchronously, pipelines statements, and is never revived.
///
/// A session that has ended stays ended. Whoever held it finds out instead of continuing, outside of its
/// transaction, on a new one.
@LoopActor final class Connection {
    enum Purpose { case reading, writing, listening, migrating }
    enum State { case connecting, open, ended }

    /// What became of one statement.
    enum Outcome: Sendable {
        case rows(RawResult)
        /// The server refused this statement.
        case failed(PostgresError)
        /// A statement before it in the same flight failed, so this one was never run.
        case aborted(PostgresError?)
        /// The session ended before the answer came.
        case lost
        /// The session was ended because this answer did not come in time.
        case expired
    }

    /// A statement that was sent, and the task that waits for its outcome, if any.
    final class Job {
        private var waiting: UnsafeContinuation<Outcome, Never>?

        init(_ waiting: UnsafeContinuation<Outcome, Never>?) { self.waiting = waiting }

        func finish(_ outcome: Outcome) {
            waiting?.resume(returning: outcome)
            waiting = nil
        }
    }

    /// What the server owes us, in the order in which it will answer.
    struct Expectation {
        enum Kind {
            case preparation(text: String, name: String, for: Job)
            case statement(text: String, Job)
            case deallocation(String)
            case script(Job)
            case sync
        }
        let kind: Kind
        let since: Int
    }

    let purpose: Purpose
    private(set) var state = State.connecting
    var onOpen: @LoopActor (Connection) -> Void = { _ in }
    var onEnd: @LoopActor (Connection, PostgresError) -> Void = { _, _ in }
    var onNotification: @LoopActor (String) -> Void = { _ in }

    private let deadline: Duration
    private let pulse: Pulse?
    /// Where it leads: the numeric form of a host, or nil for a unix socket.
    private var address: String?
    private var raw: RawPostgres?
    private var socket: Socket?
    private var wantsWrite = false
    private var timer: UInt64?

    private var cache = StatementCache()
    private var expected = FIFO<Expectation>()
    /// The head of `expected` was answered; libpq will say nil once before the next.
    private var answered = false
    /// The first refusal since the last sync: why later ones were skipped.
    private var refusal: PostgresError?
    /// The whole of a script's answer so far.
    private var scripted: Outcome?
    /// Something was sent since the last sync.
    private(set) var needsSync = false
    /// The tenant that the open batch of reads is scoped to; nil when there is no batch.
    private var batch: Scope?

    init(_ configuration: Database.Configuration, purpose: Purpose, pulse: Pulse? = nil) {
        self.purpose = purpose
        self.pulse = pulse
        deadline = purpose == .migrating ? .seconds(900) : configuration.statementDeadline
    }

    var pending: Int { expected.count }

    // MARK: life

    func connect(_ settings: [(name: String, value: String)], to address: String? = nil) {
        self.address = address
        guard let raw = RawPostgres(settings) else {
            return end(PostgresError(.unavailable, message: "no memory for a connection"))
        }
        self.raw = raw
        guard !raw.isBad else { return end(PostgresError(.unavailable, message: raw.errorMessage)) }
        timer = EventLoop.shared.after(.seconds(2)) { [weak self] in
            self?.end(PostgresError(.unavailable, message: "no connection within 2 s"))
        }
        watch(EventLoop.writable)
    }

    /// Ends the session. Everything that waited for an answer is told.
    func end(_ error: PostgresError = .lost) {
        guard state != .ended else { return }
        state = .ended
        unwatch()
        raw = nil
        if let timer { EventLoop.shared.cancelTimer(timer) }
        while let next = expected.popFirst() { finish(next.kind, .lost) }
        onEnd(self, error)
    }

    private func advance() {
        guard let raw else { return }
        // libpq may close the socket and open another under the same number while it connects.
        unwatch()
        switch raw.poll() {
        case .wantsRead: watch(EventLoop.readable)
        case .wantsWrite: watch(EventLoop.writable)
        case .failed: end(PostgresError(.unavailable, message: raw.errorMessage))
        case .connected:
            guard raw.becomeNonblocking(), purpose == .migrating || raw.enterPipeline() else {
                return end(PostgresError(.unavailable, message: raw.errorMessage))
            }
            if let timer { EventLoop.shared.cancelTimer(timer) }
            timer = nil
            state = .open
            pulse?.heard()
            watch(EventLoop.readable)
            onOpen(self)
        }
    }

    private func watch(_ events: UInt32) {
        guard let raw, raw.socket >= 0 else { return end() }
        let socket = Socket(fd: raw.socket, of: self)
        self.socket = socket
        if !EventLoop.shared.register(socket, events: events) { end() }
    }

    private func unwatch() {
        if let socket { EventLoop.shared.unregister(socket) }
        socket = nil
        wantsWrite = false
    }

    fileprivate func onEvent(_ events: UInt32) {
        guard state == .open else { return advance() }
        if events & ~EventLoop.writable != 0 {
            pulse?.heard()
            receive()
        }
        if wantsWrite { flush() }
    }

    // MARK: sending

    /// Adds a read to the batch that one sync at the end of the tick closes; `alone`, it shares its fate with nobody.
    func read(_ sql: SQL, in scope: Scope, alone: Bool) async -> Outcome {
        await withUnsafeContinuation { continuation in
            let job = Job(continuation)
            if alone, needsSync { sync() }
            if batch != scope {
                enqueue(scope.statement, Job(nil))
                batch = scope
            }
            enqueue(sql, job)
            if alone { sync() } else if let socket { EventLoop.shared.markDirty(socket) }
        }
    }

    /// Sends some statements and then one whose outcome is returned, as one flight with its own sync.
    func send(_ before: [SQL] = [], _ sql: SQL) async -> Outcome {
        await withUnsafeContinuation { continuation in
            let job = Job(continuation)
            for statement in before { enqueue(statement, Job(nil)) }
            enqueue(sql, job)
            sync()
        }
    }

    /// Runs a text of several statements. Only while migrating: pipelines do not take such texts.
    func script(_ text: String) async -> Outcome {
        await withUnsafeContinuation { continuation in
            let job = Job(continuation)
            guard state == .open, let raw else { return job.finish(.lost) }
            guard !text.utf8.contains(0) else { return refuse(job) }
            guard raw.script(text) else { return lose(job) }
            expect(.script(job))
            flush()
        }
    }

    private func enqueue(_ sql: SQL, _ job: Job) {
        guard state == .open, let raw else { return job.finish(.lost) }
        var name = cache.name(of: sql.text)
        if name == nil {
            guard !sql.text.utf8.contains(0) else { return refuse(job) }
            let fresh = cache.add(sql.text)
            guard raw.prepare(fresh, sql.text) else { return lose(job) }
            expect(.preparation(text: sql.text, name: fresh, for: job))
            name = fresh
        }
        guard let name, raw.execute(prepared: name, sql.parameters) else { return lose(job) }
        expect(.statement(text: sql.text, job))
        needsSync = true
    }

    private func refuse(_ job: Job) {
        job.finish(.failed(PostgresError(.server, sqlState: "22021", message: "a statement contains U+0000")))
    }

    /// libpq would not even queue it: the connection is bad, or there is no memory.
    private func lose(_ job: Job) {
        job.finish(.lost)
        end(PostgresError(.unavailable, sqlState: "08006", message: raw?.errorMessage ?? ""))
    }

    private func expect(_ kind: Expectation.Kind) {
        expected.append(Expectation(kind: kind, since: EventLoop.shared.tickTime))
        if timer == nil { arm(min(deadline, Pulse.patience)) }
    }

    /// Closes the open group of statements and sends everything.
    private func sync() {
        guard state == .open, let raw else { return }
        for name in cache.takeRetired() where raw.execute("deallocate \(name)") { expect(.deallocation(name)) }
        guard raw.sync() else { return end() }
        expect(.sync)
        needsSync = false
        batch = nil
        flush()
    }

    fileprivate func onFlush() {
        if needsSync { sync() }
    }

    private func flush() {
        guard let raw, let socket else { return }
        let flushed = raw.flush()
        if flushed == .failed { return end() }
        let waits = flushed == .wantsWrite
        guard waits != wantsWrite else { return }
        wantsWrite = waits
        EventLoop.shared.modify(socket, events: EventLoop.readable | (waits ? EventLoop.writable : 0))
    }

    // MARK: receiving

    private func receive() {
        guard let raw else { return }
        let isAlive = raw.consume()
        while state == .open, !raw.isBusy {
            if let result = raw.next() {
                purpose == .migrating ? gather(result) : answer(result)
            } else if answered {
                answered = false
                if purpose == .migrating { finishScript() }
            } else {
                break
            }
        }
        while let channel = raw.notification() { onNotification(channel) }
        if !isAlive { end(PostgresError(.unavailable, sqlState: "08006", message: raw.errorMessage)) }
    }

    private func answer(_ result: RawResult) {
        let status = result.status
        guard status != .unexpected, let head = expected.popFirst() else {
            return end(PostgresError(.unavailable, sqlState: "08P01", message: "an answer nobody asked for"))
        }
        if status == .sync {
            refusal = nil
            return
        }
        answered = true
        switch status {
        case .failed:
            let error = result.error
            if refusal == nil { refusal = error }
            // The session is about to end; what it says is not about this statement.
            // Without room the session goes on; whatever else is unavailable ends it.
            finish(head.kind, error.code == .unavailable && !error.isOutOfRoom ? .lost : .failed(error))
        case .aborted: finish(head.kind, .aborted(refusal))
        default: finish(head.kind, .rows(result))
        }
    }

    private func finish(_ kind: Expectation.Kind, _ outcome: Outcome) {
        switch (kind, outcome) {
        case (.sync, _), (.deallocation, .rows), (.preparation, .rows): break
        case (.deallocation(let name), _): cache.retire(name: name)
        case (.preparation(let text, let name, let job), _):
            cache.forget(text, name: name)
            // Its execution will be reported as skipped, for this reason.
            if case .aborted = outcome {} else { job.finish(outcome) }
        case (.statement(let text, let job), .failed(let error)):
            if error.isStale { cache.retire(text) }
            job.finish(outcome)
        case (.statement(_, let job), _), (.script(let job), _): job.finish(outcome)
        }
    }

    private func gather(_ result: RawResult) {
        answered = true
        switch (result.status, scripted) {
        case (.failed, nil), (.failed, .rows): scripted = .failed(result.error)
        case (.rows, nil), (.rows, .rows): scripted = .rows(result)
        default: break
        }
    }

    private func finishScript() {
        if let head = expected.popFirst(), let outcome = scripted { finish(head.kind, outcome) }
        scripted = nil
    }

    // MARK: deadline

    private func arm(_ duration: Duration) {
        timer = EventLoop.shared.after(duration) { [weak self] in self?.checkDeadline() }
    }

    private func checkDeadline() {
        timer = nil
        // The answer may be waiting in the socket while this process was kept from reading it.
        receive()
        guard state == .open, let oldest = expected.first else { return }
        let now = EventLoop.shared.tickTime
        let limit = now - deadline.nanoseconds
        guard oldest.since <= limit else {
            let patience = Pulse.patience.nanoseconds, waited = now - oldest.since
            if waited >= patience { pulse?.suspect(address) }
            return arm(.nanoseconds(Int64(min(oldest.since - limit, waited < patience ? patience - waited : patience))))
        }
        while let next = expected.first, next.since <= limit {
            _ = expected.popFirst()
            finish(next.kind, .expired)
        }
        end(.expired)
    }
}

/// The descriptor of one session while the loop watches it.
@LoopActor private final class Socket: Channel {
    private weak var connection: Connection?

    init(fd: Int32, of connection: Connection) {
        self.connection = connection
        super.init(fd: fd)
    }

    override func onEvent(_ events: UInt32) { connection?.onEvent(events) }
    override func flush() { connection?.onFlush() }
}

extension Duration {
    var milliseconds: Int { nanoseconds / 1_000_000 }
}
