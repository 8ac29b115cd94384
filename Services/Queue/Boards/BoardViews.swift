import JSON
import Primitives

/// The queue as staff see it.
struct TodayView: JSONWritable {
    let key: Board.Key
    let board: Board
    let now: Timestamp

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("date", key.date)
            $0.field("locationId", key.location)
            $0.field(
                "waiting",
                board.waiting(at: now).map {
                    TokenView(
                        token: $0.entry.token, position: $0.position, estimatedWaitMinutes: $0.minutes,
                        room: $0.entry.room, presence: $0.entry.presence(at: now))
                })
            $0.field("withDoctor", views(.withDoctor))
            $0.field("completed", views(.completed))
            $0.field("skipped", views(.skipped))
            $0.field("left", views(.left))
        }
    }

    private func views(_ status: Token.Status) -> [TokenView] {
        board.entries(status).map { TokenView(token: $0.token, room: $0.room, presence: $0.presence(at: now)) }
    }

    static let schema: Schema = {
        let tokens = Schema.list(of: TokenView.schema, max: 10_000)
        return .object([
            .required("date", .date), .required("locationId", .id), .required("waiting", tokens),
            .required("withDoctor", tokens), .required("completed", tokens), .required("skipped", tokens),
            .required("left", tokens),
        ])
    }()
}

/// The day's figures.
struct SummaryView: JSONWritable {
    let key: Board.Key
    let summary: Board.Summary

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("date", key.date)
            $0.field("locationId", key.location)
            $0.field("total", summary.counts.values.reduce(0, +))
            $0.field("waiting", summary.counts[.waiting] ?? 0)
            $0.field("withDoctor", summary.counts[.withDoctor] ?? 0)
            $0.field("completed", summary.counts[.completed] ?? 0)
            $0.field("skipped", summary.counts[.skipped] ?? 0)
            $0.field("left", summary.counts[.left] ?? 0)
            $0.field("called", summary.called)
            $0.field("meanWaitSeconds", summary.meanWaitSeconds)
            $0.field("p90WaitSeconds", summary.p90WaitSeconds)
        }
    }

    static let schema: Schema = {
        let count = Schema.integer(0...10_000)
        let names = ["total", "waiting", "withDoctor", "completed", "skipped", "left", "called"]
        return .object(
            [.required("date", .date), .required("locationId", .id)] + names.map { .required($0, count) } + [
                .required("meanWaitSeconds", .integer(0...86_400), "until the first call"),
                .required("p90WaitSeconds", .integer(0...86_400)),
            ])
    }()
}

/// The queue as everybody in the room sees it: numbers and rooms, never an id and never a name.
struct DisplayView: JSONWritable {
    /// A screen has room for about this many.
    static let shown = 20

    let key: Board.Key
    let board: Board
    let now: Timestamp

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("date", key.date)
            $0.field("version", board.version)
            $0.array("serving", board.entries(.withDoctor), line)
            $0.array("waiting", board.entries(.waiting).prefix(Self.shown), line)
            $0.field("waitingCount", board.entries(.waiting).count)
        }
    }

    private func line(_ json: inout JSONWriter, _ entry: Board.Entry) {
        json.object {
            $0.field("number", entry.token.number)
            $0.field("room", entry.room)
            $0.field("presence", entry.presence(at: now)?.rawValue)
        }
    }

    static let schema: Schema = {
        let line = Schema.object([.required("number", .text(max: 12)), .optional("room", .text(max: 20)),
            .optional("presence", .choice(Presence.Status.allCases.map(\.rawValue)), "of whom they wait for, once said"),
        ])
        return .object([
            .required("date", .date), .required("version", .integer(0...Int64.max)),
            .required("serving", .list(of: line, max: 10_000)), .required("waiting", .list(of: line, max: shown)),
            .required("waitingCount", .integer(0...10_000)),
        ])
    }()
}
