import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What pharmacy keeps about one patient.
enum PharmacyExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "prescription_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "prescription_item_card", host) { patient in
                "prescription_id in (select prescription_id from prescription_card where patient_id = \(patient))"
            },
            .rows(of: "settlement_card", host) { patient in
                "prescription_id in (select prescription_id from prescription_card where patient_id = \(patient))"
            },
            .rows(of: "dispensing", host) { patient in "patient_id = \(patient)" },
            .rows(of: "dispensing_line", host) { patient in "dispensing_id in (select id from dispensing where patient_id = \(patient))" },
        ])
    }
}
