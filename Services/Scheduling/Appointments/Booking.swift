import Access
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

    /// Claims the slots of one tenant's bookings; what became of the n-th is the n-th.
    static func claim(
        _ bookings: [Booking], waiting: Bool, at now: Timestamp, in tx: Transaction
    ) async throws -> [AppointmentStore.Claim] {
        guard let first = bookings.first else { return [] }
        let wishes = try await AppointmentWords.sealReasons(of: bookings, tx)
        return try await AppointmentStore(sql: tx, scope: first.caller.bookingScope).book(wishes, waiting: waiting, at: now)
    }
}
