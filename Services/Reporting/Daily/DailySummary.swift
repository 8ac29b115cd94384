import JSON
import Primitives

/// What a day at the clinic came to.
struct DailySummary: Equatable, Sendable {
    /// What is counted. The raw values are the columns; `title` is the word clients see.
    enum Count: String, CaseIterable, Sendable {
        case patientsRegistered = "patients_registered"
        case patientsSeen = "patients_seen"
        case visitsStarted = "visits_started"
        case visitsCompleted = "visits_completed"
        case appointmentsBooked = "appointments_booked"
        case appointmentsCancelled = "appointments_cancelled"
        case tokensIssued = "tokens_issued"
        case tokensCompleted = "tokens_completed"
        case invoicesIssued = "invoices_issued"
        case itemsDispensed = "items_dispensed"
        case prescriptionsDispensed = "prescriptions_dispensed"
    }

    struct Takings: Equatable, Sendable {
        /// CASH, CARD or UPI; REFUND for what went back.
        let method: String
        let count: Int
        let amount: Money
    }

    static let refund = "REFUND"

    let date: LocalDate
    var counts: [Count: Int] = [:]
    var takings: [Takings] = []

    func count(_ what: Count) -> Int { counts[what] ?? 0 }

    /// What came in and what went back, in one currency.
    func sum(in currency: Currency, refunds: Bool) -> Money {
        Money(
            takings.reduce(0) {
                $1.amount.currency == currency && ($1.method == Self.refund) == refunds ? $0 &+ $1.amount.amount : $0
            }, currency)
    }
}

/// What clients see of a day. `patients` are those seen, `revenue` is what came in before refunds.
struct DailySummaryView: JSONWritable {
    let summary: DailySummary
    let currency: Currency

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("date", summary.date)
            json.field("patients", summary.count(.patientsSeen))
            json.field("patientsRegistered", summary.count(.patientsRegistered))
            json.field("visits", summary.count(.visitsCompleted))
            json.field("visitsStarted", summary.count(.visitsStarted))
            json.field("appointmentsBooked", summary.count(.appointmentsBooked))
            json.field("appointmentsCancelled", summary.count(.appointmentsCancelled))
            json.field("tokensIssued", summary.count(.tokensIssued))
            json.field("tokensCompleted", summary.count(.tokensCompleted))
            json.field("invoicesIssued", summary.count(.invoicesIssued))
            json.field("revenue", summary.sum(in: currency, refunds: false))
            let received = summary.takings.filter { $0.method != DailySummary.refund }
            json.array("revenueByMethod", received) { json, takings in
                json.object {
                    $0.field("method", takings.method)
                    $0.field("payments", takings.count)
                    $0.field("amount", takings.amount)
                }
            }
            json.field("refunds", summary.sum(in: currency, refunds: true))
            json.field("itemsDispensed", summary.count(.itemsDispensed))
            json.field("prescriptionsDispensed", summary.count(.prescriptionsDispensed))
        }
    }
}
