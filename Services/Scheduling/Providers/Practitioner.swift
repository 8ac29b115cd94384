import JSON
import Postgres
import Primitives

/// A practitioner as patients and reception see one: where they work, what they treat, whether they are there.
///
/// Named so because `Provider` already tells identifiers apart. The account behind it is auth's; what is ours
/// is the profile and the time.
struct Practitioner: Equatable, Sendable {
    enum Presence: String, Sendable, SQLReadable, SQLBindable { case online, offline, `break` }

    let id: ProviderID
    let account: AccountID
    let location: LocationID
    let zone: String
    let name: String
    /// JSON arrays as Postgres wrote them: nothing here looks inside.
    let specialties: String
    let languages: String
    let isActive: Bool
    /// The last day they may be booked for: of a licence that an administrator has seen.
    let licensedUntil: LocalDate
    let presence: Presence
    let presenceUntil: Timestamp?
    let version: Int
    /// Whether what patients book is theirs at once, or a request that waits some hours for an answer.
    let bookingMode: BookingMode
    let requestHours: Int
    let ratingCount: Int
    let ratingSum: Int

    enum BookingMode: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable { case direct, request }
}

extension Practitioner {
    /// Whether a licence was looked at, be it good for long or not: the first year of our calendar stands for none.
    var hasLicence: Bool { licensedUntil.year > 1900 }

    /// To one decimal: more would say more than there is.
    var meanRating: Double { (Double(ratingSum) / Double(max(ratingCount, 1)) * 10).rounded() / 10 }

    /// Whose time away is over is there again: nothing waits for a timer.
    func presence(at now: Timestamp) -> Presence { isBack(at: now) ? .online : presence }

    func presenceUntil(at now: Timestamp) -> Timestamp? { isBack(at: now) ? nil : presenceUntil }

    private func isBack(at now: Timestamp) -> Bool { presenceUntil.map { $0 <= now } ?? false }

    /// Throws unless they may be booked for a day.
    func requireBookable(on day: LocalDate) throws(ProviderError) {
        guard isActive else { throw .inactive }
        guard licensedUntil >= day else { throw .unlicensed }
    }
}

enum ProviderError: Error, Equatable {
    case inactive
    case unlicensed
    case locationUnknown
}

/// The practitioner as clients read one.
struct ProviderView: JSONWritable {
    let provider: Practitioner
    let now: Timestamp

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", provider.id)
            $0.field("accountId", provider.account)
            $0.field("name", provider.name)
            $0.key("specialties")
            $0.raw(provider.specialties.utf8)
            $0.key("languages")
            $0.raw(provider.languages.utf8)
            $0.field("status", provider.presence(at: now).rawValue)
            $0.field("until", provider.presenceUntil(at: now))
            $0.field("locationId", provider.location)
            $0.field("zone", provider.zone)
            $0.field("active", provider.isActive)
            $0.field("licensed", provider.hasLicence)
            $0.field("bookingMode", provider.bookingMode.rawValue)
            $0.field("requestHours", provider.requestHours)
            if provider.ratingCount >= Rating.leastShown {
                $0.key("rating")
                $0.object {
                    $0.field("count", provider.ratingCount)
                    $0.field("mean", provider.meanRating)
                }
            }
            $0.field("version", provider.version)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("accountId", .id), .required("name", .text(max: 200)),
        .required("specialties", .list(of: .text(max: 60), max: 20)),
        .required("languages", .list(of: .text(max: 60), max: 20)),
        .required("status", .choice(["online", "offline", "break"])),
        .optional("until", .instant, "when they are back: from then on they are online"), .required("locationId", .id),
        .required("zone", .text(max: 64)), .required("active", .boolean),
        .required("licensed", .boolean, "whether an administrator has seen the licence; before that nobody can book"),
        .required("bookingMode", .choice(Practitioner.BookingMode.allCases.map(\.rawValue)), "request: the practitioner answers first"),
        .required("requestHours", .integer(1...168), "how long a request waits, never beyond the start"),
        .optional(
            "rating", .object([.required("count", .integer(Int64(Rating.leastShown)...Int64.max)), .required("mean", .number(1...5))]),
            "what patients said, from five on"),
        .required("version", .integer(1...Int64.max)),
    ])
}
