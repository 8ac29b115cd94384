import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// What somebody wants to book, and in what words.
@LoopActor struct Booking {
    let wish: AppointmentStore.Wish
    let reason: String?
    /// To seal the reason with.
    let ring: KeyChain?
    let caller: Principal

    /// Waits for whoever is in the way. Who is refused must roll back: a key was made for the words.
    func claim(at now: Timestamp, in tx: Transaction) async throws -> AppointmentStore.Claim {
        var vault: PatientVault?
        if reason != nil, let ring {
            vault = try await DataKeyStore(sql: tx).vaultForWriting(of: wish.patient, in: caller.tenant, ring)
        }
        guard let wish = try sealed(in: vault) else { return .slotUnavailable }
        return try await AppointmentStore(sql: tx, scope: caller.bookingScope).book([wish], waiting: true, at: now).first ?? .slotUnavailable
    }

    /// Those of one tenant that nothing stands against; nil for the others, who leave nothing. Whose words have no key yet is one of them:
    /// a key made here would stay when the booking is refused, of an erased patient, too.
    static func make(_ bookings: [Booking], at now: Timestamp, in tx: Transaction) async throws -> [Appointment?] {
        guard let caller = bookings.first?.caller else { return [] }
        let spoken = Set(bookings.filter { $0.reason != nil }.map(\.wish.patient))
        var vaults: [PatientID: PatientVault] = [:]
        if !spoken.isEmpty, let ring = bookings.lazy.compactMap(\.ring).first {
            vaults = try await DataKeyStore(sql: tx).vaults(of: Array(spoken), in: caller.tenant, ring, leaving: nil)
        }
        let wishes = try bookings.compactMap { try $0.sealed(in: vaults[$0.wish.patient]) }
        var made: [AppointmentID: Appointment] = [:]
        for claim in try await AppointmentStore(sql: tx, scope: caller.bookingScope).book(wishes, waiting: false, at: now) {
            if case .booked(let appointment) = claim { made[appointment.id] = appointment }
        }
        return bookings.map { made[$0.wish.id] }
    }

    /// The wish with its words; nil when there are words and nothing to seal them in.
    private func sealed(in vault: PatientVault?) throws -> AppointmentStore.Wish? {
        guard let reason else { return wish }
        guard let vault else { return nil }
        var wish = wish
        wish.reason = try AppointmentWords.seal(reason, .reason, of: wish.id, in: vault)
        return wish
    }
}
