import JSON
import Messaging
import Primitives

/// An invoice is owed and can no longer be edited.
package struct InvoiceIssued: Event, Equatable {
    package static let name: EventName = "billing.invoice.issued.v1"

    package let invoiceID: InvoiceID
    package let visitID: VisitID
    package let patientID: PatientID
    package let number: String
    package let prescriptionIDs: [PrescriptionID]
    package let total: Money
    package let localDate: LocalDate

    package init(
        invoiceID: InvoiceID, visitID: VisitID, patientID: PatientID, number: String, prescriptionIDs: [PrescriptionID], total: Money, localDate: LocalDate
    ) {
        self.invoiceID = invoiceID
        self.visitID = visitID
        self.patientID = patientID
        self.number = number
        self.prescriptionIDs = prescriptionIDs
        self.total = total
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        invoiceID = try data.required("invoiceId")
        visitID = try data.required("visitId")
        patientID = try data.required("patientId")
        number = try data.required("number")
        prescriptionIDs = try data.required("prescriptionIds")
        total = try data.required("total")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("invoiceId", invoiceID)
            $0.field("visitId", visitID)
            $0.field("patientId", patientID)
            $0.field("number", number)
            $0.field("prescriptionIds", prescriptionIDs)
            $0.field("total", total)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { invoiceID.description }
}

/// Money came in.
package struct PaymentReceived: Event, Equatable {
    package static let name: EventName = "billing.payment.received.v1"

    package let paymentID: PaymentID
    package let invoiceID: InvoiceID
    package let method: String
    package let paid: Money
    package let due: Money
    package let localDate: LocalDate

    package init(
        paymentID: PaymentID, invoiceID: InvoiceID, method: String, paid: Money, due: Money, localDate: LocalDate
    ) {
        self.paymentID = paymentID
        self.invoiceID = invoiceID
        self.method = method
        self.paid = paid
        self.due = due
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        paymentID = try data.required("paymentId")
        invoiceID = try data.required("invoiceId")
        method = try data.required("method")
        paid = try data.required("paid")
        due = try data.required("due")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("paymentId", paymentID)
            $0.field("invoiceId", invoiceID)
            $0.field("method", method)
            $0.field("paid", paid)
            $0.field("due", due)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { paymentID.description }
}

/// Nothing is due any more: its prescriptions may be dispensed.
package struct InvoicePaid: Event, Equatable {
    package static let name: EventName = "billing.invoice.paid.v1"

    package let invoiceID: InvoiceID
    package let visitID: VisitID
    package let patientID: PatientID
    package let prescriptionIDs: [PrescriptionID]
    package let total: Money
    package let localDate: LocalDate

    package init(
        invoiceID: InvoiceID, visitID: VisitID, patientID: PatientID, prescriptionIDs: [PrescriptionID], total: Money, localDate: LocalDate
    ) {
        self.invoiceID = invoiceID
        self.visitID = visitID
        self.patientID = patientID
        self.prescriptionIDs = prescriptionIDs
        self.total = total
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        invoiceID = try data.required("invoiceId")
        visitID = try data.required("visitId")
        patientID = try data.required("patientId")
        prescriptionIDs = try data.required("prescriptionIds")
        total = try data.required("total")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("invoiceId", invoiceID)
            $0.field("visitId", visitID)
            $0.field("patientId", patientID)
            $0.field("prescriptionIds", prescriptionIDs)
            $0.field("total", total)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { invoiceID.description }
}

/// Money went back under a credit note.
package struct InvoiceRefunded: Event, Equatable {
    package static let name: EventName = "billing.invoice.refunded.v1"

    package let invoiceID: InvoiceID
    package let creditNote: String
    package let refunded: Money
    package let localDate: LocalDate

    package init(
        invoiceID: InvoiceID, creditNote: String, refunded: Money, localDate: LocalDate
    ) {
        self.invoiceID = invoiceID
        self.creditNote = creditNote
        self.refunded = refunded
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        invoiceID = try data.required("invoiceId")
        creditNote = try data.required("creditNote")
        refunded = try data.required("refunded")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("invoiceId", invoiceID)
            $0.field("creditNote", creditNote)
            $0.field("refunded", refunded)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { invoiceID.description }
}
