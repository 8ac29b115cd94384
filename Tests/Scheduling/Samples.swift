import Access
import Bootstrap
import Loop
import Postgres
import Primitives
import Testing
import TestSupport

@testable import Scheduling

func time(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(microseconds: 0) }
func date(_ text: String) -> LocalDate { LocalDate(text) ?? LocalDate(daysSinceEpoch: 0) }
func clock(_ text: String) -> LocalTime { LocalTime(text) ?? .midnight }

extension Slot {
    static func sample(
        _ status: Status = .free, start: String = "2026-11-20T09:00:00Z", id: SlotID = SlotID()
    ) -> Slot {
        Slot(
            id: id, provider: ProviderID(), location: LocationID(), start: time(start),
            end: time(start).adding(seconds: 900), localDate: date("2026-11-20"), status: status, blockReason: nil,
            version: 1)
    }
}

extension Appointment {
    static func sample(_ status: Status = .booked, visit: VisitID? = nil) -> Appointment {
        Appointment(
            id: AppointmentID(), slot: SlotID(), provider: ProviderID(), patient: PatientID(),
            location: LocationID(), start: time("2026-11-20T09:00:00Z"), end: time("2026-11-20T09:15:00Z"),
            localDate: date("2026-11-20"), status: status, modality: .inPerson, priority: .routine, reason: nil,
            cancelReason: nil, token: nil, visit: visit, version: 1, bookedAt: time("2026-11-19T09:00:00Z"), answerBy: nil)
    }
}

/// A clinic with one practitioner whose time of one day is open, and ten patients.
@LoopActor struct Clinic {
    let test: TestDatabase
    let provider = ProviderID()
    let location = LocationID()
    let patients = (0..<10).map { _ in PatientID() }
    let opened = time("2026-11-20T08:00:00Z")
    private(set) var slots: [SlotID] = []

    nonisolated static func with(
        slots: Int = 8, _ body: sending @escaping @LoopActor (Clinic) async throws -> Void
    ) async throws {
        try await onLoop {
            try await TestDatabase.with(SchedulingService.migrations) { test in
                var clinic = Clinic(test: test)
                try await clinic.open(slots)
                try await body(clinic)
            }
        }
    }

    private mutating func open(_ count: Int) async throws {
        try await test.db.transaction(for: test.tenant) { tx in try await CardStore(sql: tx).remember(patients) }
        slots = try await open(count, of: provider, named: "Dr. Rao")
    }

    /// The same times of another practitioner.
    func openElsewhere() async throws -> [SlotID] { try await open(slots.count, of: ProviderID(), named: "Dr. Iyer") }

    private func open(_ count: Int, of provider: ProviderID, named name: String) async throws -> [SlotID] {
        let openings = (0..<count).map { index in
            let start = opened.adding(seconds: 3600 + Int64(index) * 900)
            return Roster.Opening(date: date("2026-11-20"), start: start, end: start.adding(seconds: 900))
        }
        try await test.db.transaction(for: test.tenant) { tx in
            try await tx.run(
                """
                insert into provider (id, account_id, location_id, zone, name)
                values (\(provider), \(AccountID()), \(location), 'UTC', \(name))
                """)
            _ = try await SlotStore(sql: tx).open(openings, of: provider, at: location)
        }
        return try await SlotStore(sql: reader).list(.init(provider: provider, now: opened), after: nil, limit: 100).map(\.id)
    }

    var reader: any SQLSession { test.db.reader(for: test.tenant) }

    /// Books as the route does: a claim that is not a booking rolls back.
    func book(_ slot: SlotID, for patient: PatientID) async throws -> Appointment {
        try await test.db.transaction(for: test.tenant) { tx in
            let store = AppointmentStore(sql: tx, scope: .system(test.tenant))
            switch try await store.book([wish(slot, for: patient)], waiting: true, at: opened).first {
            case nil: throw AppointmentError.slotTaken
            case .booked(let appointment): return appointment
            case .patientBusy: throw AppointmentError.patientBusy
            case .slotUnavailable: throw AppointmentError.slotTaken
            case .patientUnknown: throw AppointmentError.patientUnknown
            case .patientInactive: throw AppointmentError.patientInactive
            }
        }
    }

    func wish(_ slot: SlotID, for patient: PatientID) -> AppointmentStore.Wish {
        AppointmentStore.Wish(
            id: AppointmentID(), slot: slot, patient: patient, modality: .inPerson, priority: .routine, account: AccountID(), asks: false)
    }

    /// What became of each, kept whatever it was.
    func claim(_ wishes: [AppointmentStore.Wish], waiting: Bool) async throws -> [AppointmentStore.Claim] {
        try await test.db.transaction(for: test.tenant) { tx in
            try await AppointmentStore(sql: tx, scope: .system(test.tenant)).book(wishes, waiting: waiting, at: opened)
        }
    }

    static func word(_ claim: AppointmentStore.Claim) -> String { "\(claim)".split(separator: "(").first.map(String.init) ?? "" }

    func status(of slot: SlotID) async throws -> Slot.Status? { try await SlotStore(sql: reader).find(slot)?.status }
}

/// Every body at once, each in a task of its own.
@LoopActor func atOnce<T: Sendable>(
    _ count: Int, _ body: @escaping @LoopActor (Int) async throws -> T
) async -> [Result<T, any Error>] {
    let tasks = (0..<count).map { index in EventLoop.spawn { try await body(index) } }
    var results: [Result<T, any Error>] = []
    for task in tasks { results.append(await task.result) }
    return results
}
