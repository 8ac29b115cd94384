import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Booking, and everything that happens to a booking before the day.
@LoopActor
struct AppointmentRoutes {
    let host: Host
    /// Bookings of the same moment.
    private let others: Gathering<Booking, Appointment>

    init(host: Host) {
        self.host = host
        others = Gathering(host) { bookings, tx in try await Booking.make(bookings, at: host.now(), in: tx) }
    }

    var table: [Route] {
        [
            .post(
                "/v1/appointments", for: .bookAppointments,
                .init(
                    "Book a slot for a patient; where the practitioner wants to be asked, a patient's booking is a request",
                    body: Self.booking, answers: [(201, AppointmentView.schema)],
                    problems: [
                        "slot_taken", "slot_blocked", "slot_in_past", "patient_busy", "patient_unknown", "consent_missing",
                        "patient_inactive", "provider_inactive", "provider_unlicensed", "priority_not_permitted",
                    ]), book),
            .get(
                "/v1/appointments", for: .readAppointments,
                .init(
                    "List appointments",
                    query: [
                        .optional("providerId", .id), .optional("patientId", .id), .optional("date", .date),
                        .optional("status", .choice(Appointment.Status.allCases.map(\.rawValue))),
                        .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
                    ],
                    answers: [(200, .page(of: AppointmentView.schema))]), list),
            .get(
                "/v1/appointments/:id", for: .readAppointments,
                .init("Read an appointment", answers: [(200, AppointmentView.schema)]), show),
            .patch(
                "/v1/appointments/:id", for: .changeAppointments,
                .init(
                    "Reschedule an appointment or change its reason",
                    body: .object([
                        .optional("slotId", .id), .optional("reason", .nullable(.text(max: 500))),
                    ]),
                    answers: [(200, AppointmentView.schema)],
                    problems: [
                        "slot_taken", "slot_blocked", "slot_in_past", "patient_busy", "provider_inactive", "provider_unlicensed",
                        "not_reschedulable",
                    ],
                    isMergePatch: true), change),
            .delete(
                "/v1/appointments/:id", for: .cancelAppointments,
                .init(
                    "Cancel an appointment, or take a request back (a doctor: the own, with a reason)",
                    body: .object([.optional("reason", .nullable(.text(max: 500)))]),
                    query: [.optional("reason", .text(max: 500))], answers: [(200, AppointmentView.schema)],
                    problems: ["not_cancellable"]), cancel),
        ]
    }

    private static let booking = Schema.object([
        .required("slotId", .id), .required("patientId", .id), .optional("reason", .nullable(.text(max: 500))),
        .optional("modality", .choice(Appointment.Modality.allCases.map(\.rawValue)), "in_person by default"),
        .optional("priority", .choice(Appointment.Priority.allCases.map(\.rawValue)), "routine by default"),
    ])

    // MARK: booking

    private func book(_ request: Request, by caller: Principal) async throws -> Response {
        let wish = AppointmentStore.Wish(
            id: AppointmentID(), slot: try request.body.required("slotId"), patient: try request.body.required("patientId"),
            modality: try request.body.optional("modality") ?? .inPerson,
            priority: try request.body.optional("priority") ?? .routine, account: caller.account, asks: caller.isOnlyPatient)
        let reason = try request.body.optional("reason", as: String.self)
        if caller.isOnlyPatient {
            guard caller.ownPatients.contains(wish.patient) else { throw Problem.forbidden }
            guard wish.priority == .routine else {
                throw Problem.refused("priority_not_permitted", "Only the clinic decides what is urgent.")
            }
        }

        if wish.modality == .telemedicine {
            try await PatientCards(host: host).requireConsent(to: "teleconsultation", of: wish.patient, as: caller)
        }
        let booking = Booking(wish: wish, reason: reason, ring: try await words(of: caller).ring(toSeal: reason), caller: caller)
        let together = try await host.write(request, by: caller, among: others, booking) { appointment, tx in
            try await made(appointment, by: caller, in: tx)
        }
        if let together { return together }
        do {
            return try await host.write(request, by: caller) { tx in try await book(booking, in: tx) }
        } catch AppointmentError.patientUnknown, AppointmentError.patientInactive {
            // Our card may be missing or old, so its owner has the last word before anybody is refused.
            try await PatientCards(host: host).refresh(wish.patient, as: caller)
            return try await host.write(request, by: caller) { tx in try await book(booking, in: tx) }
        }
    }

    private func book(_ booking: Booking, in tx: Transaction) async throws -> Response {
        switch try await booking.claim(at: host.now(), in: tx) {
        case .booked(let appointment): return try await made(appointment, by: booking.caller, in: tx)
        case .patientBusy: throw AppointmentError.patientBusy
        case .patientUnknown: throw AppointmentError.patientUnknown
        case .patientInactive: throw AppointmentError.patientInactive
        case .slotUnavailable:
            guard let slot = try await SlotStore(sql: tx).find(booking.wish.slot) else { throw Problem.notFound("slot") }
            if let refusal = slot.refusal(at: host.now()) { throw refusal }
            try await requireBookable(slot, in: tx)
            throw AppointmentError.slotTaken  // Given back between the claim and this look.
        }
    }

    private func made(_ appointment: Appointment, by caller: Principal, in tx: Transaction) async throws -> Response {
        try tx.announce(appointment.made, revision: appointment.version)
        try tx.audit(
            appointment.status == .requested ? "request" : "book", "appointment", appointment.id.description, of: appointment.patient,
            before: nil, after: appointment.trace)
        return .created(
            try await words(of: caller).view(appointment, for: caller, tx), version: appointment.version,
            at: "/v1/appointments/\(appointment.id)")
    }

    private func requireBookable(_ slot: Slot, in tx: Transaction) async throws {
        guard let provider = try await ProviderStore(sql: tx).find(slot.provider) else { throw ProviderError.inactive }
        try provider.requireBookable(on: slot.localDate)
    }

    // MARK: reading

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let query = request.query
        let limit = try query.optional("limit", as: Int.self) ?? 50
        var filter = AppointmentStore.Filter(
            provider: try query.optional("providerId"), patient: try query.optional("patientId"),
            date: try query.optional("date"),
            status: try query.optional("status", as: String.self).flatMap(Appointment.Status.init(rawValue:)))
        let after = try TimePlace(query, of: AppointmentKind.self)
        let sql = host.db.reader(for: caller.tenant)
        if caller.has(.doctor), filter.provider == nil, filter.patient == nil {
            // A doctor who names nobody means the own list.
            filter.provider = try await ProviderStore(sql: sql).find(account: caller.account)?.id
        }

        let store = AppointmentStore(sql: sql, scope: caller.bookingScope)
        let found = try await store.list(filter, after: after.map { ($0.start, $0.id) }, limit: limit + 1)

        let page = found.prefix(limit)
        caller.trail?.listed("appointment_list", page.map(\.patient))
        let next = found.count > limit ? page.last.map { TimePlace(start: $0.start, id: $0.id).cursor } : nil
        return .page(try await words(of: caller).views(Array(page), for: caller, sql), next: next, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        let sql = host.db.reader(for: caller.tenant)
        let store = AppointmentStore(sql: sql, scope: caller.bookingScope)
        guard let appointment = try await store.find(id) else {
            throw try await AppointmentStore(sql: sql, scope: .system(caller.tenant)).refusal(of: id, to: caller)
        }
        caller.trail?.read("appointment", id.description, of: appointment.patient, on: caller.ground)
        return .json(200, try await words(of: caller).view(appointment, for: caller, sql), version: appointment.version)
    }

    private func words(of caller: Principal) -> AppointmentWords { AppointmentWords(host: host, tenant: caller.tenant, trail: caller.trail) }

    // MARK: changing

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        let version = try request.ifMatch()
        let slotID = try request.body.optional("slotId", as: SlotID.self)
        let reason = try request.body.optional("reason", as: String.self)
        let words = words(of: caller)
        let ring = try await words.ring(toSeal: reason)

        return try await host.write(request, by: caller) { tx in
            let store = AppointmentStore(sql: tx, scope: caller.bookingScope)
            guard var appointment = try await store.findForUpdate(id) else {
                throw try await AppointmentStore(sql: tx, scope: .system(caller.tenant)).refusal(of: id, to: caller)
            }
            guard appointment.version == version else { throw Problem.staleVersion }
            let before = appointment

            if request.body.has("reason") {
                try appointment.describe(
                    reason: await words.seal(reason, .reason, of: id, appointment.patient, ring, tx))
            }
            if let slotID, slotID != appointment.slot { try await move(&appointment, to: slotID, in: tx) }
            guard appointment != before else {
                caller.trail?.read("appointment", id.description, of: before.patient, on: caller.ground)
                return .json(200, try await words.view(before, for: caller, tx), version: before.version)
            }

            try await store.update(appointment)
            try tx.audit("change", "appointment", id.description, of: appointment.patient, before: before.trace,
                after: appointment.trace)
            return .json(200, try await words.view(appointment, for: caller, tx), version: appointment.version)
        }
    }

    /// The appointment's row is locked before the slots', and the slots in the order of their ids: everywhere.
    private func move(_ appointment: inout Appointment, to slotID: SlotID, in tx: Transaction) async throws {
        let slots = SlotStore(sql: tx)
        let old = appointment.slot
        guard let target = try await slots.lock([old, slotID]).first(where: { $0.id == slotID }) else {
            throw Problem.notFound("slot")
        }
        let moved = try appointment.move(to: target, at: host.now())
        try await requireBookable(target, in: tx)
        try await slots.release(old)
        try await slots.claim(slotID)
        try tx.announce(moved, revision: appointment.version)
    }

    private func cancel(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        let version = request.header("if-match") == nil ? nil : try request.ifMatch()
        let said = try request.body.optional("reason", as: String.self)
        let reason = try said ?? request.query.optional("reason", as: String.self)
        let isDesk = caller.isOnlyPatient || caller.has(.reception) || caller.has(.admin)
        // Whom the doctor lets down is told why.
        if !isDesk, reason == nil { throw Problem.invalid("reason", "required", "Say why, for the patient.") }
        let words = words(of: caller)
        let ring = try await words.ring(toSeal: reason)

        return try await host.write(request, by: caller) { tx in
            let store = AppointmentStore(sql: tx, scope: caller.bookingScope)
            guard var appointment = try await store.findForUpdate(id) else {
                throw try await AppointmentStore(sql: tx, scope: .system(caller.tenant)).refusal(of: id, to: caller)
            }
            if !isDesk { try await requireOwn(appointment, of: caller, in: tx) }
            guard version.map({ $0 == appointment.version }) ?? true else { throw Problem.staleVersion }
            let before = appointment
            let sealed = try await words.seal(reason, .cancelReason, of: id, appointment.patient, ring, tx)
            let cancelled = try appointment.cancel(because: sealed, by: caller.mainRole.rawValue)
            try await store.update(appointment)
            try await SlotStore(sql: tx).release(appointment.slot)
            try tx.announce(cancelled, revision: appointment.version)
            try tx.audit("cancel", "appointment", id.description, of: appointment.patient, before: before.trace,
                after: appointment.trace)
            return .json(200, try await words.view(appointment, for: caller, tx), version: appointment.version)
        }
    }
}

/// A doctor arranges the own time; the desk arranges everybody's.
@LoopActor func requireOwn(_ appointment: Appointment, of caller: Principal, in tx: Transaction) async throws {
    guard try await ProviderStore(sql: tx).find(appointment.provider)?.account == caller.account else { throw Problem.forbidden }
}

/// The one place where an appointment's refusals become HTTP.
extension AppointmentError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .slotTaken: .conflict("slot_taken", "Somebody has this slot. Choose another.")
        case .slotBlocked: .conflict("slot_blocked", "The practitioner took this time out. Choose another slot.")
        case .slotInPast: .refused("slot_in_past", "This slot has begun. Choose a later one.")
        case .patientBusy: .conflict("patient_busy", "The patient has another appointment at that time.")
        case .patientUnknown: .refused("patient_unknown", "There is no such patient.")
        case .consentMissing:
            .refused("consent_missing", "The patient has not agreed to teleconsultation. Record the consent first, or book in person.")
        case .patientInactive: .refused("patient_inactive", "The patient's record is closed.")
        case .notCancellable(let status):
            .conflict("not_cancellable", "An appointment that is \(status.rawValue) cannot be cancelled.")
        case .notRequested(let status):
            .conflict("not_requested", "An appointment that is \(status.rawValue) waits for no answer.")
        case .requestExpired: .conflict("request_expired", "Nobody answered in time, and the slot is free. Book it anew.")
        case .notReschedulable(let status):
            .conflict("not_reschedulable", "An appointment that is \(status.rawValue) cannot be changed.")
        }
    }
}
