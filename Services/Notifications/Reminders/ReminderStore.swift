import Contracts
import Loop
import Postgres
import Primitives

/// Every statement that touches `reminder`, `consent_card` and `tenant_card`.
@LoopActor struct ReminderStore {
    let sql: any SQLSession

    /// A moved appointment brings a voided reminder of the same rule back to life at its new time.
    /// No two of them are of the same appointment and rule.
    func plan(_ reminders: [Reminder]) async throws {
        guard !reminders.isEmpty else { return }
        try await sql.run(
            """
            insert into reminder (id, appointment_id, patient_id, rule, starts_at, due_at)
            select * from unnest(
                \(reminders.map(\.id))::uuid[], \(reminders.map(\.appointment))::uuid[],
                \(reminders.map(\.patient))::uuid[], \(reminders.map(\.rule))::text[],
                \(reminders.map(\.start))::timestamptz[], \(reminders.map(\.due))::timestamptz[])
            on conflict on constraint reminder_one_per_rule do update
            set starts_at = excluded.starts_at, due_at = excluded.due_at, status = 'pending', version = reminder.version + 1
            where reminder.starts_at <> excluded.starts_at
            """)
    }

    func void(_ appointment: AppointmentID) async throws {
        try await sql.run(
            """
            update reminder set status = 'void', version = version + 1
            where appointment_id = \(appointment) and status = 'pending'
            """)
    }

    /// Takes what is due, so that of several replicas one announces each. A reminder whose appointment has
    /// begun, or whose patient took the consent back, is void instead: the check is here, inside the claim, where a
    /// cancellation cannot slip between.
    func claimDue(at now: Timestamp, limit: Int) async throws -> [Reminder] {
        // Whatever has begun was due before (`reminder_before_start`): said here too, the index of what is due finds it,
        // where each tick read every reminder that waits (90 ms among some 100,000).
        try await sql.run(
            """
            update reminder set status = 'void', version = version + 1
            where status = 'pending' and due_at <= \(now) and starts_at <= \(now)
            """)
        try await sql.run(
            """
            update reminder set status = 'void', version = version + 1
            where status = 'pending' and due_at <= \(now)
              and patient_id in (select patient_id from consent_card where not is_given)
            """)
        return try await sql.all(
            """
            update reminder set status = 'announced', version = version + 1
            where id in (
                select id from reminder where status = 'pending' and due_at <= \(now)
                order by due_at limit \(limit) for update skip locked
            )
            returning id, appointment_id, patient_id, rule, starts_at, due_at, version
            """, as: Reminder.init(row:))
    }

    /// The later word counts, in whichever order they arrive.
    func remember(_ consent: ConsentChanged) async throws {
        try await sql.run(
            """
            insert into consent_card (patient_id, is_given, at) values (\(consent.patientID), \(consent.isGiven), \(consent.at))
            on conflict (patient_id) do update set is_given = excluded.is_given, at = excluded.at
            where consent_card.at < excluded.at
            """)
    }

    func remember(_ tenant: TenantID) async throws {
        try await sql.run("insert into tenant_card (tenant_id) values (\(tenant)) on conflict do nothing")
    }

    func tenants() async throws -> [TenantID] {
        try await sql.all("select tenant_id from tenant_card limit 100000", as: { row in try row.next() })
    }
}
