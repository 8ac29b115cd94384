import Loop
import Postgres
import Primitives

/// Every statement that touches the daily tables. Additions are single statements, so facts that arrive at once
/// on several connections are all counted.
@LoopActor struct DailyStore {
    let sql: any SQLSession

    /// Adds to each day once, the earliest day first, so that two who add to the same days never wait in a circle.
    ///
    /// Everything of a tenant meets in the row of the day, so this is the last thing a transaction does.
    /// `what` is one of our own column names, never a client's text.
    func add(_ counts: [LocalDate: Int], to what: DailySummary.Count) async throws {
        guard !counts.isEmpty else { return }
        let column = what.rawValue
        let days = counts.keys.sorted()
        try await sql.run(
            """
            insert into daily_summary (local_date, \(unsafe: column))
            select * from unnest(\(days)::date[], \(days.map { counts[$0] ?? 0 })::bigint[])
            on conflict (tenant_id, local_date) do update
                set \(unsafe: column) = daily_summary.\(unsafe: column) + excluded.\(unsafe: column)
            """)
    }

    /// One payment or refund of a day.
    struct Taking {
        let amount: Money
        let method: String
        let date: LocalDate
    }

    func add(_ takings: [Taking]) async throws {
        try await sql.run(
            """
            insert into daily_takings (local_date, method, currency, count, amount)
            select date, method, currency, count(*), sum(amount)
            from unnest(\(takings.map(\.date))::date[], \(takings.map(\.method))::text[],
                        \(takings.map(\.amount.currency))::char(3)[], \(takings.map(\.amount.amount))::bigint[])
                 as taking (date, method, currency, amount)
            group by date, method, currency order by date, method, currency
            on conflict (tenant_id, local_date, method, currency) do update
                set count = daily_takings.count + excluded.count, amount = daily_takings.amount + excluded.amount
            """)
    }

    /// The days of those who were there for the first time that day.
    func see(_ patients: [(patient: PatientID, date: LocalDate)]) async throws -> [LocalDate] {
        try await sql.all(
            """
            insert into daily_patient (local_date, patient_id)
            select * from unnest(\(patients.map(\.date))::date[], \(patients.map(\.patient))::uuid[]) as seen (date, patient)
            order by date, patient
            on conflict do nothing
            returning local_date
            """, as: { row in try row.next(as: LocalDate.self) })
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
