import Contracts
import Messaging
import Primitives

/// What moves the day's figures. One queue each: a poisoned fact of one kind stops no other. They take what waits for
/// them together, because all facts of a day meet in one row: it is written once for many of them.
extension Reaction {
    static let daily: [Reaction] = [
        counting(PatientRegistered.self, named: "reporting.count-patient", to: .patientsRegistered) { $0.localDate },
        counting(VisitStarted.self, named: "reporting.count-visit-start", to: .visitsStarted) { $0.localDate },
        Reaction(toAll: VisitCompleted.self, named: "reporting.count-visit") { facts, tx in
            let day = DailyStore(sql: tx)
            let seen = try await day.see(facts.map { ($0.event.patientID, $0.event.localDate) })
            try await day.add(tally(seen), to: .patientsSeen)
            try await day.add(tally(facts.map(\.event.localDate)), to: .visitsCompleted)
        },
        counting(AppointmentBooked.self, named: "reporting.count-booking", to: .appointmentsBooked) { $0.localDate },
        counting(
            AppointmentCancelled.self, named: "reporting.count-cancellation", to: .appointmentsCancelled
        ) { $0.localDate },
        counting(TokenIssued.self, named: "reporting.count-token", to: .tokensIssued) { $0.localDate },
        counting(TokenCompleted.self, named: "reporting.count-completed-token", to: .tokensCompleted) { $0.localDate },
        counting(InvoiceIssued.self, named: "reporting.count-invoice", to: .invoicesIssued) { $0.localDate },
        Reaction(toAll: PaymentReceived.self, named: "reporting.count-payment") { facts, tx in
            try await DailyStore(sql: tx).add(
                facts.map { .init(amount: $0.event.paid, method: $0.event.method, date: $0.event.localDate) })
        },
        Reaction(toAll: InvoiceRefunded.self, named: "reporting.count-refund") { facts, tx in
            try await DailyStore(sql: tx).add(
                facts.map { .init(amount: $0.event.refunded, method: DailySummary.refund, date: $0.event.localDate) })
        },
        Reaction(toAll: PrescriptionDispensed.self, named: "reporting.count-dispensing") { facts, tx in
            let day = DailyStore(sql: tx)
            var items: [LocalDate: Int] = [:]
            for fact in facts { items[fact.event.localDate, default: 0] += fact.event.quantity }
            try await day.add(items, to: .itemsDispensed)
            try await day.add(tally(facts.map(\.event.localDate)), to: .prescriptionsDispensed)
        },
    ]

    private static func counting<E: Event>(
        _: E.Type, named name: String, to what: DailySummary.Count, on date: @escaping @Sendable (E) -> LocalDate
    ) -> Reaction {
        Reaction(toAll: E.self, named: name) { facts, tx in
            try await DailyStore(sql: tx).add(tally(facts.map { date($0.event) }), to: what)
        }
    }

    private static func tally(_ days: [LocalDate]) -> [LocalDate: Int] {
        days.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}
