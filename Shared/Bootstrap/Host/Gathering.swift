import Loop
import Postgres
import Primitives

/// Changes of one kind that come at the same moment, made in one transaction.
///
/// What surrounds a change (its statements begun, its commit and flush, the messages both ways) costs Postgres more than its rows do:
/// `docs/decisions/0044-bookings-together.md` has the figures. Nobody waits for company: who comes while fewer than `most` transactions are under
/// way goes at once, and who comes later goes with the next, together with everybody of the same tenant who waits.
///
/// A gathering makes only what can be made without waiting for anybody and without refusing anybody. All else is handed back, and
/// is done alone as if there were no gathering. So a refusal is decided and told in one place, and whoever is in the way of one
/// is in the way of nobody else.
@LoopActor package final class Gathering<Wish, Made> {
    /// Makes those that nothing stands against, in one statement or a few; nil for the others, of whom it leaves nothing. The n-th of what
    /// it returns is the n-th wish's.
    package typealias Make = @LoopActor ([Wish], Transaction) async throws -> [Made?]

    private let host: Host
    private let make: Make
    private var waiting: [Guest] = []
    private var underWay = 0
    /// One alone would let all wait for a flush of the disk, and for whoever one of its guests has to wait for.
    private let most = 4
    /// How many one takes, and so how much one failure undoes and how long its rows are locked.
    private let seats = 32

    package nonisolated init(_ host: Host, _ make: @escaping Make) {
        self.host = host
        self.make = make
    }

    private struct Guest {
        let wish: Wish
        let claim: IdempotentRequest?
        let tenant: TenantID
        let act: @LoopActor (Made, Transaction) async throws -> Host.Part
        let answer: UnsafeContinuation<Host.Part?, any Error>
    }

    /// What `act` answered, once it is committed; nil when nothing was done and it has to be done alone.
    func join(
        _ wish: Wish, _ claim: IdempotentRequest?, for tenant: TenantID,
        _ act: @escaping @LoopActor (Made, Transaction) async throws -> Host.Part
    ) async throws -> Host.Part? {
        // Behind so many the wait is that of a crowd, and the ordinary way is the one that turns a crowd away in time.
        guard waiting.count < most * seats else { return nil }
        return try await withUnsafeThrowingContinuation { continuation in
            waiting.append(Guest(wish: wish, claim: claim, tenant: tenant, act: act, answer: continuation))
            depart()
        }
    }

    private func depart() {
        guard underWay < most, !waiting.isEmpty else { return }
        underWay += 1
        EventLoop.spawn {
            // Those who came in the same tick come along.
            let guests = self.board()
            if !guests.isEmpty { await self.go(guests) }
            self.underWay -= 1
            self.depart()
        }
    }

    /// Whoever waits longest, and others of the same tenant.
    private func board() -> [Guest] {
        guard let tenant = waiting.first?.tenant else { return [] }
        let guests = Array(waiting.lazy.filter { $0.tenant == tenant }.prefix(seats))
        var left = guests.count
        waiting.removeAll { guest in
            guard left > 0, guest.tenant == tenant else { return false }
            left -= 1
            return true
        }
        return guests
    }

    private func go(_ guests: [Guest]) async {
        do {
            let parts = try await host.db.transaction(for: guests[0].tenant, forMany: true) { tx in
                // Who holds a row for longer than that holds up none but those who wanted it: all go alone then.
                tx.later("select set_config('lock_timeout', '250ms', true)")
                let unused = try await IdempotentRequest.claim(guests.map(\.claim), in: tx)
                let places = guests.indices.filter { unused[$0] }
                var parts: [Host.Part?] = guests.map { _ in nil }
                for (place, made) in zip(places, try await make(places.map { guests[$0].wish }, tx)) {
                    guard let made else { continue }
                    parts[place] = try await guests[place].act(made, tx)
                }
                IdempotentRequest.store(parts.compactMap { $0?.kept }, in: tx)
                return parts
            }
            for (guest, part) in zip(guests, parts) { guest.answer.resume(returning: part) }
        } catch {
            for guest in guests { refuse(guest, error) }
            guard let fault = error as? PostgresError else { return }
            if fault.code == .unavailable, !fault.isUnknownOutcome {
                for guest in waiting { guest.answer.resume(throwing: error) }
                waiting = []
            }
            if fault.code == .server || fault.code == .decoding {
                // Done alone they may well succeed, and nobody would notice that nothing is done together any more.
                host.log.write(.warning, "together it failed", ("detail", "\(fault)"))
            }
        }
    }

    /// It failed, so nothing was done and each goes alone; unless the database is away, which is so for everybody. Whether a lost commit
    /// was done the key knows, when there is one.
    private func refuse(_ guest: Guest, _ error: any Error) {
        guard let fault = error as? PostgresError, fault.code == .unavailable, !(fault.isUnknownOutcome && guest.claim != nil) else {
            return guest.answer.resume(returning: nil)
        }
        guest.answer.resume(throwing: error)
    }
}
