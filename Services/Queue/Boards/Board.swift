import Primitives

/// One waiting room's day: who waits and in which order, who is with a doctor, what the day's figures are.
///
/// It is the same whether it was read from Postgres or from its copy in Redis; time passes only in arguments.
struct Board: Equatable, Sendable {
    struct Key: Hashable, Sendable, LosslessStringConvertible {
        let tenant: TenantID
        let location: LocationID
        let date: LocalDate

        init(tenant: TenantID, location: LocationID, date: LocalDate) {
            self.tenant = tenant
            self.location = location
            self.date = date
        }

        init(_ token: Token, in tenant: TenantID) {
            self.init(tenant: tenant, location: token.location, date: token.localDate)
        }

        init?(_ description: String) {
            let parts = description.split(separator: ":")
            guard parts.count == 3, let tenant = TenantID(String(parts[0])),
                let location = LocationID(String(parts[1])), let date = LocalDate(String(parts[2]))
            else { return nil }
            self.init(tenant: tenant, location: location, date: date)
        }

        var description: String { "\(tenant):\(location):\(date)" }
    }

    struct Entry: Equatable, Sendable {
        let token: Token
        let room: String?
        /// What the practitioner said last; nil when they never said anything.
        var presence: Presence.Status? = nil
        var until: Timestamp? = nil

        func presence(at now: Timestamp) -> Presence.Status? {
            presence.map { Presence.status($0, until: until, at: now) }
        }
    }

    let version: Int64
    let entries: [Entry]

    static let empty = Board(version: 0, entries: [])

    /// Until when it looks the same if nothing changes it: until the next who is away is back.
    func looksTheSameUntil(after now: Timestamp) -> Timestamp? {
        entries.compactMap(\.until).filter { $0 > now }.min()
    }

    func of(_ provider: ProviderID) -> Board {
        Board(version: version, entries: entries.filter { $0.token.provider == provider })
    }

    func entries(_ status: Token.Status) -> [Entry] {
        let found = entries.filter { $0.token.status == status }
        return switch status {
        case .waiting: found.sorted { $0.token.place < $1.token.place }
        case .withDoctor: found.sorted { $0.token.calledOrIssuedAt < $1.token.calledOrIssuedAt }
        case .completed: found.sorted { $0.token.endedOrIssuedAt < $1.token.endedOrIssuedAt }
        case .skipped, .left: found.sorted { $0.token.sequence < $1.token.sequence }
        }
    }

    // MARK: waiting

    struct Waiting: Equatable, Sendable {
        let entry: Entry
        let position: Int
        let minutes: Int
    }

    /// Who waits, in order, each with the position and the expected wait in the practitioner's own queue.
    func waiting(at now: Timestamp) -> [Waiting] {
        var estimates: [ProviderID: WaitEstimate] = [:]
        var positions: [ProviderID: Int] = [:]
        return entries(.waiting).map { entry in
            let provider = entry.token.provider
            let estimate = estimates[provider] ?? WaitEstimate(of: provider, on: self, at: now)
            estimates[provider] = estimate
            let ahead = positions[provider] ?? 0
            positions[provider] = ahead + 1
            return Waiting(entry: entry, position: ahead + 1, minutes: estimate.minutes(ahead: ahead))
        }
    }

    // MARK: figures

    struct Summary: Equatable, Sendable {
        var counts: [Token.Status: Int] = [:]
        var called = 0
        var meanWaitSeconds = 0
        var p90WaitSeconds = 0
    }

    /// Counts, and the waits of those who have been called.
    var summary: Summary {
        var summary = Summary()
        for entry in entries { summary.counts[entry.token.status, default: 0] += 1 }
        let waits = entries.compactMap(\.token.waitedSeconds).sorted()
        guard !waits.isEmpty else { return summary }
        summary.called = waits.count
        summary.meanWaitSeconds = waits.reduce(0, +) / waits.count
        // The nearest rank: the smallest wait that nine in ten did not exceed.
        summary.p90WaitSeconds = waits[(waits.count * 9 + 9) / 10 - 1]
        return summary
    }
}

/// How long somebody will wait: what consultations took today, times those ahead, plus what is left of the current one.
struct WaitEstimate: Equatable, Sendable {
    /// Before anybody was seen, and the bounds that keep one odd consultation from frightening everybody.
    static let usualSeconds: Int64 = 600
    static let bounds: ClosedRange<Int64> = 180...3_600

    let consultationSeconds: Int64
    let remainingSeconds: Int64

    init(of provider: ProviderID, on board: Board, at now: Timestamp) {
        var took: [Int64] = []
        var serving: Timestamp?
        for entry in board.entries where entry.token.provider == provider {
            guard let called = entry.token.calledAt else { continue }
            if entry.token.status == .withDoctor { serving = called }
            if let completed = entry.token.completedAt { took.append(max(completed.seconds(since: called), 0)) }
        }
        let mean = took.isEmpty ? Self.usualSeconds : took.reduce(0, +) / Int64(took.count)
        consultationSeconds = min(max(mean, Self.bounds.lowerBound), Self.bounds.upperBound)
        remainingSeconds = serving.map { [consultationSeconds] in
            max(consultationSeconds - max(now.seconds(since: $0), 0), 0)
        } ?? 0
    }

    /// Rounded up: nobody minds being called early.
    func minutes(ahead: Int) -> Int { Int((remainingSeconds + Int64(ahead) * consultationSeconds + 59) / 60) }
}

extension Token {
    fileprivate var calledOrIssuedAt: Timestamp { calledAt ?? issuedAt }
    fileprivate var endedOrIssuedAt: Timestamp { completedAt ?? issuedAt }
}
