import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What notifications keeps about one patient.
enum NotificationsExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "notice", host) { patient in "patient_id = \(patient)" },
            .rows(of: "notice_read", host) { patient in "notice_id in (select id from notice where patient_id = \(patient))" },
            .rows(of: "consent_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "reminder", host) { patient in "patient_id = \(patient)" },
        ])
    }
}
