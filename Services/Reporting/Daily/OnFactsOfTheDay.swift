import Contracts
import Messaging

/// What moves the day's figures. One queue each: a poisoned fact of one kind stops no other.
extension Reaction {
    static let daily: [Reaction] = [
        Reaction(to: PatientRegistered.self, named: "reporting.count-patient") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .patientsRegistered, on: fact.localDate)
        },
        Reaction(to: VisitStarted.self, named: "reporting.count-visit-start") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .visitsStarted, on: fact.localDate)
        },
        Reaction(to: VisitCompleted.self, named: "reporting.count-visit") { fact, _, tx in
            let day = DailyStore(sql: tx)
            try await day.add(to: .visitsCompleted, on: fact.localDate)
            if try await day.see(fact.patientID, on: fact.localDate) {
                try await day.add(to: .patientsSeen, on: fact.localDate)
            }
        },
        Reaction(to: AppointmentBooked.self, named: "reporting.count-booking") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .appointmentsBooked, on: fact.localDate)
        },
        Reaction(to: AppointmentCancelled.self, named: "reporting.count-cancellation") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .appointmentsCancelled, on: fact.localDate)
        },
        Reaction(to: TokenIssued.self, named: "reporting.count-token") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .tokensIssued, on: fact.localDate)
        },
        Reaction(to: TokenCompleted.self, named: "reporting.count-completed-token") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .tokensCompleted, on: fact.localDate)
        },
        Reaction(to: InvoiceIssued.self, named: "reporting.count-invoice") { fact, _, tx in
            try await DailyStore(sql: tx).add(to: .invoicesIssued, on: fact.localDate)
        },
        Reaction(to: PaymentReceived.self, named: "reporting.count-payment") { fact, _, tx in
            try await DailyStore(sql: tx).add(fact.paid, by: fact.method, on: fact.localDate)
        },
        Reaction(to: InvoiceRefunded.self, named: "reporting.count-refund") { fact, _, tx in
            try await DailyStore(sql: tx).add(fact.refunded, by: DailySummary.refund, on: fact.localDate)
        },
        Reaction(to: PrescriptionDispensed.self, named: "reporting.count-dispensing") { fact, _, tx in
            let day = DailyStore(sql: tx)
            try await day.add(fact.quantity, to: .itemsDispensed, on: fact.localDate)
            try await day.add(to: .prescriptionsDispensed, on: fact.localDate)
        },
    ]
}
