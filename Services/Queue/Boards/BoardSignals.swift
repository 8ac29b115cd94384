import Loop

/// Wakes those who look at a board when it changes. A change while somebody is busy is not lost: it is remembered.
@LoopActor
final class BoardSignals {
    private var watches: [Board.Key: [ObjectIdentifier: BoardWatch]] = [:]

    nonisolated init() {}

    func watch(_ key: Board.Key) -> BoardWatch {
        let watch = BoardWatch(key)
        watches[key, default: [:]][ObjectIdentifier(watch)] = watch
        return watch
    }

    func end(_ watch: BoardWatch) {
        watches[watch.key]?[ObjectIdentifier(watch)] = nil
        if watches[watch.key]?.isEmpty == true { watches[watch.key] = nil }
    }

    func raise(_ key: Board.Key) {
        for watch in watches[key, default: [:]].values { watch.raise() }
    }
}

/// One pair of eyes on one board.
@LoopActor
final class BoardWatch {
    let key: Board.Key
    private var isRaised = false
    private var waiter: CheckedContinuation<Void, Never>?

    init(_ key: Board.Key) { self.key = key }

    func raise() {
        isRaised = true
        waiter?.resume()
        waiter = nil
    }

    /// Returns when the board has changed since the last call, or after `limit`, or when nobody looks any more: what
    /// belongs to a screen is given back with its line, and not seconds later.
    func wait(atMost limit: Duration) async {
        let timer = EventLoop.shared.after(limit) { [self] in raise() }
        await withTaskCancellationHandler {
            if !isRaised { await withCheckedContinuation { waiter = $0 } }
        } onCancel: {
            if EventLoop.shared.isCurrent {
                LoopActor.assumeOnLoop { raise() }
            } else {
                EventLoop.shared.post { self.raise() }
            }
        }
        EventLoop.shared.cancelTimer(timer)
        isRaised = false
    }
}
