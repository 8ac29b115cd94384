import JSON
import Messaging
import Primitives

/// Every event that services exchange: what it says in a sentence, and a sample of it.
///
/// It feeds the AsyncAPI document at `/docs/events` and the golden files in `Tests/Contracts/Golden`. An event
/// that is not in here fails a test, and so does one whose sample is not what its golden file says.
package enum Catalogue {
    package static let events: [CatalogueEntry] =
        auth + scheduling + queue + clinical + pharmacy + billing + notifications + reporting
        + everybody

    /// The AsyncAPI 3 document of the suite.
    package static var document: [UInt8] {
        AsyncAPI.document(
            events.map { .init(name: $0.name, summary: $0.sentence, optional: $0.optional, sample: $0.sample) })
    }

    /// What any service announces.
    static let everybody: [CatalogueEntry] = [
        CatalogueEntry(
            "Somebody did something, or was refused it. before and after hold states, amounts, ids and the names of "
                + "personal fields, never their values.",
            optional: ["before", "after", "patientId", "purpose"],
            AuditRecorded(
                service: "scheduling", action: "cancel", resource: "appointment",
                resourceID: Sample.id(6, Appointment.self).description, role: "reception", allowed: true,
                before: JSONObject([("status", .string("booked"))]),
                after: JSONObject([("status", .string("cancelled"))]), patientID: Sample.id(5), purpose: "TREAT")),
        CatalogueEntry(
            "Records of patients were read, or somebody was refused: what one process committed at once. Also entries of changes that left "
                + "together, each as `audit.entry.recorded.v1` would have told it alone.",
            AccessRecorded(
                service: "clinical",
                entries: [
                    AccessRecorded.Entry(
                        id: Sample.id(30), at: Sample.time(0), actorID: Sample.id(3), role: "doctor", action: "read",
                        resource: "visit", resourceID: Sample.id(9, Appointment.self).description, allowed: true,
                        patientID: Sample.id(5), purpose: "TREAT", before: JSONObject([("version", .int(1))]),
                        after: JSONObject([("ground", .string("care"))]), traceID: "4bf92f3577b34da6a3ce929d0e0e4736")
                ])),
        CatalogueEntry(
            "A service's database saw these audit entries leave for the broker: numbered without gap within service and tenant.",
            AuditFactsSent(service: "clinical", number: 12, ids: [Sample.id(30), Sample.id(31)])),
    ]
    private enum Appointment {}
}

/// One kind of event.
package struct CatalogueEntry: Sendable {
    package let name: EventName
    package let sentence: String
    /// The members that may be missing.
    package let optional: [String]
    /// The members of a sample with everything in it.
    package let sample: [UInt8]
    /// Reads the members and writes them again: what a reader of the event would see of them.
    package let reread: @Sendable (JSONObject) throws -> [UInt8]

    init<E: Event>(_ sentence: String, optional: [String] = [], _ sample: E) {
        name = E.name
        self.sentence = sentence
        self.optional = optional
        self.sample = sample.jsonBytes
        reread = { try E(data: $0).jsonBytes }
    }
}

/// Values for samples: the same in every run, recognisable to a reader, nobody's.
enum Sample {
    static func id<Kind>(_ number: UInt64, _: Kind.Type = Kind.self) -> ID<Kind> {
        ID(high: 0x0193_4500_0000_7000, low: 0x8000_0000_0000_0000 | number)
    }
    /// 20 November 2026 at 09:30 in India, and minutes from then.
    static func time(_ minutes: Int64) -> Timestamp {
        Timestamp(microseconds: 1_795_147_200_000_000).adding(seconds: minutes * 60)
    }
    static let day = LocalDate(daysSinceEpoch: 20_777)
    static let money = Money(118_000, .inr)
    static let prescribedItem = PrescribedItem(itemID: id(11), medicineID: id(12), quantity: 10)
}
