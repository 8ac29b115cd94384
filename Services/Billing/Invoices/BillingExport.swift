import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// What billing keeps about one patient. What was written in words is opened; the rest is rows as they are.
enum BillingExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            PersonExport.Part("invoice") { patient, caller in
                let found = try await InvoiceStore(
                    sql: host.db.reader(for: caller.tenant), scope: caller.deskScope,
                    ring: try await host.keys.existing(caller.tenant)
                ).page(InvoiceFilter(patient: patient), before: nil, limit: PersonExport.most + 1)
                try PersonExport.checkWhole(found.count)
                return json(found.map { InvoiceView($0, isSummary: true) })
            },
            PersonExport.Part("invoice_line") { patient, caller in json(try await lines(of: patient, caller, host)) },
            .rows(of: "invoice_prescription", host) { patient in
                "invoice_id in (select id from invoice where patient_id = \(patient))"
            },
            .rows(of: "visit_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "payment", host) { patient in "invoice_id in (select id from invoice where patient_id = \(patient))" },
            PersonExport.Part("credit_note") { patient, caller in
                let notes = try await PaymentStore(sql: host.db.reader(for: caller.tenant)).creditNotes(
                    ofAll: patient, caller.deskScope, try await host.keys.existing(caller.tenant), limit: PersonExport.most + 1)
                try PersonExport.checkWhole(notes.count)
                return json(notes.map(CreditNoteView.init))
            },
        ])
    }

    @LoopActor private static func lines(of patient: PatientID, _ caller: Principal, _ host: Host) async throws -> [LineOfPerson] {
        let ring = try await host.keys.existing(caller.tenant)
        let found = try await host.db.reader(for: caller.tenant).all(
            """
            select i.id, l.position, i.currency, (select wrapped from data_key where person_id = i.patient_id),
                l.sealed_description, l.description, l.medicine_id, l.prescription_item_id, l.quantity, l.unit_price,
                l.tax_basis_points, l.subtotal, l.discount, l.tax
            from invoice i join invoice_line l on l.invoice_id = i.id where i.patient_id = \(patient)
            order by i.id, l.position limit \(PersonExport.most + 1)
            """,
            as: { row in
                let (invoice, position): (InvoiceID, Int) = (try row.next(), try row.next())
                let currency: Currency = try row.next()
                let words = SealedWords(of: patient, tenant: caller.tenant, wrapped: try row.next(), ring: ring, trail: caller.trail)
                let text = try words.open(try row.next(), .line(invoice, position: position), else: try row.next())
                return LineOfPerson(
                    invoice: invoice, position: position, currency: currency,
                    line: try InvoiceTotals.Line(text, row: &row, currency))
            })
        try PersonExport.checkWhole(found.count)
        return found
    }

    private static func json(_ values: [some JSONWritable]) -> [UInt8] {
        var json = JSONWriter()
        json.array(of: values) { $0.value($1) }
        return json.bytes
    }

    private struct LineOfPerson: JSONWritable {
        let invoice: InvoiceID
        let position: Int
        let currency: Currency
        let line: InvoiceTotals.Line

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("invoiceId", invoice)
                line.members(&$0, position, currency)
            }
        }
    }
}
