import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Sends each new notice to whoever is watching, in this process.
///
/// A commit anywhere wakes every hub by NOTIFY; the hub then reads the last half minute and sends what it has
/// not sent before. It never asks "newer than the last": commits do not arrive in the order of their times.
/// A watcher who was away reads the list; the socket is a convenience, the table the record.
///
/// A socket is open no longer than its token would open it again: it closes when the token ends or is withdrawn, and
/// nothing is sent in between.
@LoopActor final class LiveHub {
    private struct Watcher {
        let socket: WebSocket
        let tenant: TenantID
        let reader: Reader
        let token: AccessToken
    }

    private static let window: Int64 = 30
    /// Between two looks: when much happens, what happens meanwhile goes together.
    private static let rest = Duration.milliseconds(20)
    /// What closes a socket here is "policy violation" (RFC 6455 7.4.1): come back with another token.
    private static let notAdmitted = 1008

    private let host: Host
    private var watchers: [ObjectIdentifier: Watcher] = [:]
    private var sent: [NoticeID: Timestamp] = [:]
    /// The read under way of what happened before a tenant's first watcher came; all who come meanwhile wait for it. After
    /// a restart that is everybody at once.
    private var past: [TenantID: LoopTask<Void>] = [:]
    private var isReading = false
    private var wasWoken = false

    nonisolated init(host: Host) { self.host = host }

    /// Starts listening; returns when cancelled.
    func run() async throws {
        host.db.listen("notifications_live") { [weak self] in self?.wake() }
        while true {
            try await EventLoop.sleep(for: .seconds(1))
            for watcher in watchers.values { _ = admits(watcher) }
        }
    }

    /// Holds one socket until the peer leaves, or may not be here any more. What it says is ignored: this channel
    /// only tells.
    func follow(_ socket: WebSocket, as principal: Principal, hearing reader: Reader) async {
        let key = ObjectIdentifier(socket)
        guard let token = try? host.verifier.verify(principal.bearer, at: host.now()) else {
            return socket.close(code: Self.notAdmitted)
        }
        let isWatched = watchers.values.contains { $0.tenant == principal.tenant }
        if !isWatched { await forgetThePast(of: principal.tenant) }
        watchers[key] = Watcher(socket: socket, tenant: principal.tenant, reader: reader, token: token)
        // What was committed meanwhile was told to nobody.
        if !isWatched { wake() }
        defer { watchers[key] = nil }
        while await socket.receive() != nil {}
    }

    /// Closes the socket of whoever would not be let in now.
    private func admits(_ watcher: Watcher) -> Bool {
        if host.verifier.stillAdmits(watcher.token, at: host.now()) { return true }
        watchers[ObjectIdentifier(watcher.socket)] = nil
        watcher.socket.close(code: Self.notAdmitted)
        return false
    }

    /// What happened before the first watcher of a tenant came is in the list already.
    private func forgetThePast(of tenant: TenantID) async {
        let now = host.now()
        let reading =
            past[tenant]
            ?? EventLoop.spawn { [self] in
                defer { past[tenant] = nil }
                let recent = try await NoticeStore(sql: host.db.reader(for: tenant)).recent(since: now.adding(seconds: -Self.window))
                for notice in recent where notice.at < now { sent[notice.id] = notice.at }
            }
        past[tenant] = reading
        _ = await reading.result
    }

    private func wake() {
        wasWoken = true
        guard !isReading, !watchers.isEmpty else { return }
        isReading = true
        EventLoop.spawn { [self] in
            defer { isReading = false }
            while wasWoken {
                wasWoken = false
                await deliver()
                try? await EventLoop.sleep(for: Self.rest)
            }
        }
    }

    private func deliver() async {
        let since = host.now().adding(seconds: -Self.window)
        sent = sent.filter { $0.value > since }
        for tenant in Set(watchers.values.map(\.tenant)) {
            // A failed read loses nothing: the next wake-up reads the same half minute.
            guard let notices = try? await NoticeStore(sql: host.db.reader(for: tenant)).recent(since: since) else { continue }
            for notice in notices where sent.updateValue(notice.at, forKey: notice.id) == nil {
                let text = NoticeView(notice).jsonBytes
                for watcher in watchers.values where watcher.tenant == tenant && watcher.reader.hears(notice) {
                    guard admits(watcher) else { continue }
                    if !(await watcher.socket.send(text: text)) { watchers[ObjectIdentifier(watcher.socket)] = nil }
                }
            }
        }
    }
}
