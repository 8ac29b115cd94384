import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// What scheduling keeps about one patient.
enum SchedulingExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "patient_card", host) { patient in "patient_id = \(patient)" },
            PersonExport.Part("appointments") { patient, caller in
                let sql = host.db.reader(for: caller.tenant)
                let found = try await AppointmentStore(sql: sql, scope: caller.deskScope).list(
                    AppointmentStore.Filter(patient: patient), after: nil, limit: PersonExport.most + 1)
                try PersonExport.checkWhole(found.count)
                let views = try await AppointmentWords(host: host, tenant: caller.tenant, trail: caller.trail).views(found, for: caller, sql)
                var json = JSONWriter()
                json.array(of: views) { $0.value($1) }
                return json.bytes
            },
            PersonExport.Part("rating") { patient, caller in
                let sql = host.db.reader(for: caller.tenant)
                let found = try await RatingStore(sql: sql).list(of: patient, limit: PersonExport.most + 1)
                try PersonExport.checkWhole(found.count)
                let words = try await RatingWords(host: host, tenant: caller.tenant, trail: caller.trail).open(found, sql)
                var json = JSONWriter()
                json.array(of: found) { $0.value(OwnRatingView(rating: $1, comment: words[$1.id])) }
                return json.bytes
            },
        ])
    }
}
