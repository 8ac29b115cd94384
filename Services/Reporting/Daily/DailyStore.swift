import Loop
import Postgres
import Primitives

/// Every statement that touches the daily tables. Additions are single statements, so facts that arrive at once
/// on several connections are all counted.
@LoopActor struct DailyStore {
    let sql: any SQLSession

    /// `what` is one of our own column names, never a client's text.
    func add(_ count: Int = 1, to what: DailySummary.Count, on date: LocalDate) async throws {
        let column = what.rawValue
        try await sql.run(
            """
            insert into daily_summary (local_date, \(unsafe: column)) values (\(date), \(count))
            on conflict (tenant_id, local_date) do update
                set \(unsafe: column) = daily_summary.\(unsafe: column) + excluded.\(unsafe: column)
            """)
    }

    func add(_ amount: Money, by method: String, on date: LocalDate) async throws {
        try await sql.run(
            """
            insert into daily_takings (local_date, method, currency, count, amount)
            values (\(date), \(method), \(amount.currency), 1, \(amount.amount))
            on conflict (tenant_id, local_date, method, currency) do update
                set count = daily_takings.count + 1, amount = daily_takings.amount + excluded.amount
            """)
    }

    /// Whether this is the first time that day.
    func see(_ patient: PatientID, on date: LocalDate) async throws -> Bool {
        try await sql.run(
            """
            insert into daily_patient (local_date, patient_id) values (\(date), \(patient)) on conflict do nothing
            """) == 1
    }

    /// A day on which nothing happened is a summary of zeros.
    func find(_ date: LocalDate) async throws -> DailySummary {
        let columns = DailySummary.Count.allCases
        let list = columns.map(\.rawValue).joined(separator: ", ")
        let counts = try await sql.first(
            "select \(unsafe: list) from daily_summary where local_date = \(date)",
            as: { row in
                var counts: [DailySummary.Count: Int] = [:]
                for column in columns { counts[column] = try row.next(as: Int.self) }
                return counts
            })
        let takings = try await sql.all(
            """
            select method, count, amount, currency from daily_takings where local_date = \(date)
            order by method, currency
            """, as: DailySummary.Takings.init(row:))
        return DailySummary(date: date, counts: counts ?? [:], takings: takings)
    }
}

extension DailySummary.Takings {
    init(row: inout Row) throws {
        method = try row.next()
        count = try row.next()
        let minor: Int64 = try row.next()
        amount = Money(minor, try row.next())
    }
}
