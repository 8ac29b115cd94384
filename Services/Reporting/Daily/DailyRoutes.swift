import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// The day's figures over HTTP.
@LoopActor struct DailyRoutes {
    let host: Host

    var table: [Route] { [.get("/v1/reports/daily-summary", for: .readDailySummary, Self.docs, show)] }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let date = try request.query.optional("date", as: LocalDate.self) ?? caller.today(at: host.now())
        let summary = try await DailyStore(sql: host.db.reader(for: caller.tenant)).find(date)
        return .json(200, DailySummaryView(summary: summary, currency: caller.currency))
    }

    private static let number = Schema.integer(0...Int64.max)
    private static let amount = Schema.money(0...Int64.max)

    static let docs = Route.Docs(
        "Read what a day came to; today when no date is given",
        query: [.optional("date", .date)],
        answers: [
            (200, .object([
                .required("date", .date), .required("patients", number, "Seen: with a completed visit"),
                .required("patientsRegistered", number), .required("visits", number, "Completed"),
                .required("visitsStarted", number), .required("appointmentsBooked", number, "For that day"),
                .required("appointmentsCancelled", number), .required("tokensIssued", number),
                .required("tokensCompleted", number), .required("invoicesIssued", number),
                .required("revenue", amount, "What came in, before refunds"),
                .required(
                    "revenueByMethod",
                    .list(
                        of: .object([
                            .required("method", .choice(["CASH", "CARD", "UPI"])), .required("payments", number),
                            .required("amount", amount),
                        ]), max: 20)),
                .required("refunds", amount), .required("itemsDispensed", number, "In dispensing units"),
                .required("prescriptionsDispensed", number),
            ]))
        ])
}
