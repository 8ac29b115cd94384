import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What billing keeps about one patient.
enum BillingExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "invoice", host) { patient in "patient_id = \(patient)" },
            .rows(of: "invoice_line", host) { patient in "invoice_id in (select id from invoice where patient_id = \(patient))" },
            .rows(of: "invoice_prescription", host) { patient in
                "invoice_id in (select id from invoice where patient_id = \(patient))"
            },
            .rows(of: "visit_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "payment", host) { patient in "invoice_id in (select id from invoice where patient_id = \(patient))" },
            .rows(of: "credit_note", host) { patient in "invoice_id in (select id from invoice where patient_id = \(patient))" },
        ])
    }
}
