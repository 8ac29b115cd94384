import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives

enum RatingKind {}
typealias RatingID = ID<RatingKind>

/// What a patient says of an appointment of theirs that is over.
struct Rating: Equatable, Sendable {
    let id: RatingID
    let appointment: AppointmentID
    let patient: PatientID
    let provider: ProviderID
    let score: Int
    /// In the patient's words: sealed under their key, gone when they are erased.
    let comment: SealedText?
    let at: Timestamp

    /// One or two voices are known by name in a small clinic, and say little of a doctor.
    static let leastShown = 5
}

enum RatingError: Error, Equatable {
    case alreadyRated, notOver
}

/// Every statement that touches `rating`.
@LoopActor
struct RatingStore {
    let sql: any SQLSession

    private static let columns = "id, appointment_id, patient_id, provider_id, score, sealed_comment, rated_at"

    /// Whose it is and that it is over is for the database to see.
    func insert(_ rating: Rating) async throws {
        _ = try await onConstraint("rating_once", throw: RatingError.alreadyRated) {
            try await onConstraint("rating_of_what_was", throw: RatingError.notOver) {
                try await sql.run(
                    """
                    insert into rating (id, appointment_id, patient_id, provider_id, score, sealed_comment, rated_at)
                    values (\(rating.id), \(rating.appointment), \(rating.patient), \(rating.provider), \(rating.score),
                            \(rating.comment.map { Bytes($0.bytes) }), \(rating.at))
                    """)
            }
        }
    }

    /// A practitioner's, newest first.
    func list(of provider: ProviderID, before: (at: Timestamp, id: RatingID)?, limit: Int) async throws -> [Rating] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from rating
            where provider_id = \(provider)
              and (\(before?.at)::timestamptz is null or (rated_at, id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
            order by rated_at desc, id desc
            limit \(limit)
            """, as: Rating.init(row:))
    }

    func list(of patient: PatientID, limit: Int) async throws -> [Rating] {
        try await sql.all(
            "select \(unsafe: Self.columns) from rating where patient_id = \(patient) order by rated_at limit \(limit)",
            as: Rating.init(row:))
    }
}

extension Rating {
    init(row: inout Row) throws {
        id = try row.next()
        appointment = try row.next()
        patient = try row.next()
        provider = try row.next()
        score = try row.next()
        comment = try row.next(as: Bytes?.self).map { SealedText($0.array) }
        at = try row.next()
    }
}

/// Seals and opens what patients say of appointments. Of whoever was erased the words are gone, the figure stays.
@LoopActor struct RatingWords {
    let host: Host
    let tenant: TenantID
    let trail: ReadTrail?

    func seal(_ text: String?, of rating: RatingID, _ patient: PatientID, _ ring: KeyChain?, _ tx: Transaction) async throws -> SealedText? {
        guard let text, let ring else { return nil }
        let vault = try await DataKeyStore(sql: tx).vaultForWriting(of: patient, in: tenant, ring)
        return SealedText(try vault.seal(Array(text.utf8), "rating", "sealed_comment", row: rating.description))
    }

    func open(_ ratings: [Rating], _ sql: any SQLSession) async throws -> [RatingID: String] {
        let spoken = Set(ratings.filter { $0.comment != nil }.map(\.patient))
        guard !spoken.isEmpty, let ring = try await host.keys.existing(tenant) else { return [:] }
        let vaults = try await DataKeyStore(sql: sql).vaults(of: Array(spoken), in: tenant, ring, leaving: trail)
        var words: [RatingID: String] = [:]
        for rating in ratings {
            guard let comment = rating.comment, let vault = vaults[rating.patient] else { continue }
            let bytes = try vault.open(comment.bytes, "rating", "sealed_comment", row: rating.id.description)
            words[rating.id] = String(decoding: bytes, as: UTF8.self)
        }
        return words
    }
}
