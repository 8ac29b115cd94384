import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import Redis

/// Reads boards: a copy in Redis when it is exact, the record in Postgres otherwise.
///
/// A copy is exact when it has the version that the day's row has, so a copy that was lost, flushed, or written
/// late by somebody slow costs time and never a wrong answer. Redis also carries the word that a board changed to
/// the other processes; without Redis they notice within five seconds.
@LoopActor
final class Boards {
    private let host: Host
    private let signals = BoardSignals()
    /// The read of each board that is under way, and the one that will follow it.
    private var reading: [Board.Key: LoopTask<Board>] = [:]
    private var next: [Board.Key: LoopTask<Board>] = [:]
    /// The boards this process showed last, held to the same test as the copies: exact or not used.
    private var held: [Board.Key: Board] = [:]
    private var shown: [Board.Key: Screen] = [:]
    private static let heldBoards = 64

    static let channel = "polyclinic.queue.boards"
    private static let copySeconds = "900"
    private static let script = """
        local v = tonumber(redis.call('hget', KEYS[1], 'v'))
        if not v or v < tonumber(ARGV[1]) then
          redis.call('hset', KEYS[1], 'v', ARGV[1], 'b', ARGV[2])
          redis.call('expire', KEYS[1], ARGV[3])
        end
        return 0
        """

    /// What a screen shows: of one version of the board, and until somebody's time away is over.
    struct Screen: Equatable, Sendable {
        let version: Int64
        let until: Timestamp?
        let body: [UInt8]
    }

    nonisolated init(host: Host) { self.host = host }

    // MARK: reading

    /// Who asks while a board is being read shares the read after it. That one begins after they asked, so whoever
    /// wrote sees what was written; and ten thousand screens woken by one change cost two reads, not ten thousand.
    func board(_ key: Board.Key) async throws -> Board {
        if let shared = next[key] { return try await shared.value }
        let before = reading[key]
        let task = EventLoop.spawn { [self] in
            if let before {
                _ = await before.result
                reading[key] = next.removeValue(forKey: key)
            }
            defer { if next[key] == nil { reading[key] = nil } }
            return try await read(key)
        }
        if before == nil { reading[key] = task } else { next[key] = task }
        return try await task.value
    }

    private func read(_ key: Board.Key) async throws -> Board {
        let store = BoardStore(sql: host.db.reader(for: key.tenant))
        guard let version = try await store.version(of: key) else { return .empty }
        if let board = held[key], board.version == version { return board }
        if let copy = await copy(of: key), copy.version == version {
            hold(copy, key)
            return copy
        }
        let board = try await store.load(key)
        hold(board, key)
        await keep(board, key)
        return board
    }

    private func hold(_ board: Board, _ key: Board.Key) {
        if held.count >= Self.heldBoards { held.removeAll() }
        held[key] = board
    }

    /// For screens: while Postgres cannot be asked, the last copy is better than a blank wall.
    func boardForScreen(_ key: Board.Key) async throws -> Board {
        do { return try await board(key) } catch let error as PostgresError where error.code == .unavailable {
            guard let copy = await copy(of: key) else { throw error }
            return copy
        }
    }

    /// What every screen of a site shows, written once for all who look at the same state.
    func screen(_ key: Board.Key) async throws -> Screen {
        let board = try await boardForScreen(key)
        let now = host.now()
        if let known = shown[key], known.version == board.version, known.until.map({ $0 > now }) ?? true { return known }
        let written = Screen(
            version: board.version, until: board.looksTheSameUntil(after: now),
            body: DisplayView(key: key, board: board, now: now).jsonBytes)
        if shown.count >= Self.heldBoards { shown.removeAll() }
        shown[key] = written
        return written
    }

    private func copy(of key: Board.Key) async -> Board? {
        guard host.redis.isReady,
            case .array(let fields)? = try? await host.redis.command(["HMGET", name(key), "v", "b"]),
            fields.count == 2, let text = fields[0].string, let version = Int64(text),
            case .bytes(let body) = fields[1]
        else { return nil }
        return BoardCopy.read(body, version: version)
    }

    private func keep(_ board: Board, _ key: Board.Key) async {
        guard host.redis.isReady, board.version > 0 else { return }
        let body = String(decoding: BoardCopy.write(board), as: UTF8.self)
        _ = try? await host.redis.command(
            ["EVAL", Self.script, "1", name(key), "\(board.version)", body, Self.copySeconds])
    }

    private func name(_ key: Board.Key) -> String { "queue:board:\(key)" }

    // MARK: changing

    /// After a commit: wakes the screens of this process and the others'. Nobody looking, nothing is read: renewing
    /// the copy after every change was most of what a check-in cost at forty busy sites.
    func changed(_ key: Board.Key) {
        signals.raise(key)
        guard host.redis.isReady else { return }
        EventLoop.spawn { [self] in
            _ = try? await host.redis.command(["PUBLISH", Self.channel, key.description])
        }
    }

    /// From inside a transaction that commits in a moment. Too early only means that screens hear of it later.
    func changedSoon(_ key: Board.Key) {
        EventLoop.shared.after(.milliseconds(100)) { [self] in changed(key) }
    }

    func watch(_ key: Board.Key) -> BoardWatch { signals.watch(key) }
    func end(_ watch: BoardWatch) { signals.end(watch) }

    /// Hears of changes in other processes.
    nonisolated var listener: Worker {
        Worker("board-listener") { [self] in
            host.redis.subscribe(Self.channel) { [signals] message in
                if let key = Board.Key(String(decoding: message, as: UTF8.self)) { signals.raise(key) }
            }
            while !Task.isCancelled { try await EventLoop.sleep(for: .seconds(3_600)) }
        }
    }
}
