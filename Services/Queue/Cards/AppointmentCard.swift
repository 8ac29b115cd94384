import JSON
import Postgres
import Primitives

/// What queue knows of an appointment: enough to say whether its patient may be checked in now.
struct AppointmentCard: Equatable, Sendable {
    let id: AppointmentID
    let patient: PatientID
    let provider: ProviderID
    /// Nil when only the cancellation has arrived so far.
    let location: LocationID?
    let start: Timestamp
    let localDate: LocalDate
    let status: String
    let priority: Priority
    let revision: Int

    /// Why nobody can be checked in for it on `today`; nil when somebody can. A no-show may still come.
    func refusal(on today: LocalDate) -> TokenError? {
        if ["cancelled", "declined", "expired"].contains(status) { return .appointmentCancelled }
        if status == "requested" { return .appointmentRequested }
        if status == "fulfilled" { return .appointmentFulfilled }
        return localDate == today ? nil : .notToday
    }
}

extension AppointmentCard {
    /// As scheduling answers on its internal path.
    init(_ json: JSONObject) throws {
        id = try json.required("appointmentId")
        patient = try json.required("patientId")
        provider = try json.required("providerId")
        location = try json.required("locationId", as: LocationID.self)
        start = try json.required("start")
        localDate = try json.required("localDate")
        status = try json.required("status")
        priority = try json.optional("priority") ?? .routine
        revision = try json.optional("version") ?? 0
    }

    init(row: inout Row) throws {
        id = try row.next()
        patient = try row.next()
        provider = try row.next()
        location = try row.next()
        start = try row.next()
        localDate = try row.next()
        status = try row.next()
        priority = try row.next()
        revision = try row.next()
    }
}

/// Which account is which practitioner, and where they work.
struct ProviderCard: Equatable, Sendable {
    let id: ProviderID
    let account: AccountID
    let location: LocationID
    let zone: String
    /// Whether they still work here.
    var isActive = true
    /// The last day of the licence that an administrator has seen; nil for none that we know of.
    var licensedUntil: LocalDate? = nil

    func isLicensed(on day: LocalDate) -> Bool { licensedUntil.map { $0 >= day } ?? false }
}

extension ProviderCard {
    init(_ json: JSONObject) throws {
        id = try json.required("providerId")
        account = try json.required("accountId")
        location = try json.required("locationId")
        zone = try json.required("zone")
        isActive = try json.optional("active") ?? true
        licensedUntil = try json.optional("licensedUntil")
    }

    init(row: inout Row) throws {
        id = try row.next()
        account = try row.next()
        location = try row.next()
        zone = try row.next()
        isActive = try row.next()
        licensedUntil = try row.next()
    }
}
