import Access
import JSON

extension Schema {
    static let newVisit = Schema.object([
        .required("patientId", .id),
        .optional("tokenId", .nullable(.id), "The queue token the patient was called with"),
        .optional("appointmentId", .nullable(.id)),
    ])

    static let visitPatch = Schema.object([
        .optional(
            "vitals", .nullable(.object(Vital.allCases.map { .optional($0.rawValue, .nullable($0.schema), $0.unit) }))),
        .optional("chiefComplaint", .nullable(.text(min: 0, max: 2_000))),
        .optional("symptomDays", .nullable(.integer(0...36_500))),
        .optional("diagnoses", .nullable(.list(of: newDiagnosis, max: 50)), "Each has a code, words or both"),
        .optional("treatmentPlan", .nullable(.text(min: 0, max: 20_000))),
    ])

    private static let newDiagnosis = Schema.object([
        .optional("code", .nullable(.text(max: 64))), .optional("system", .nullable(.text(max: 200))),
        .optional("text", .nullable(.text(max: 1_000))),
    ])

    static let visit = Schema.object(visitFields)

    /// A visit as it was signed. Who oversees counts who saw whom and when; what was found is for those who treat.
    static let signedVisit = Schema.object(
        visitFields.map { isFinding($0.name) ? $0.only([.doctor, .admin]) : $0 } + [
            .required("mrn", .text(max: 40)), .required("notes", .list(of: words, max: 1_000)).only([.doctor, .admin]),
            .required("prescriptions", .list(of: .any, max: 1_000), "As they were issued").only([.doctor, .admin]),
        ])

    /// What a former version of a visit keeps.
    static let findings = Schema.object(
        visitFields.filter { isFinding($0.name) && $0.name != "observations" && $0.name != "addenda" })

    private static func isFinding(_ name: String) -> Bool {
        ["chiefComplaint", "symptomDays", "diagnoses", "treatmentPlan", "vitals", "observations", "addenda"].contains(name)
    }

    private static let visitFields: [Field] = [
        .required("id", .id), .required("status", .choice(["in_progress", "completed"])), .required("patientId", .id),
        .required("practitionerId", .id), .required("locationId", .id), .required("localDate", .date),
        .optional("tokenId", .id), .optional("appointmentId", .id), .required("startedAt", .instant),
        .optional("completedAt", .instant), .optional("chiefComplaint", .text(max: 2_000)),
        .optional("symptomDays", .integer(0...36_500)), .optional("diagnoses", .list(of: newDiagnosis, max: 50)),
        .optional("treatmentPlan", .text(max: 20_000)),
        .optional(
            "vitals",
            .object(
                Vital.allCases.map { .optional($0.rawValue, $0.schema, $0.unit) }
                    + [.optional("bmi", .number(0...20_000), "kg/m2, derived")])),
        .optional(
            "observations",
            .list(
                of: .object([
                    .required("system", .text(max: 100)), .required("code", .text(max: 20), "LOINC"),
                    .required("value", .number(0...100_000)), .required("unit", .text(max: 20), "UCUM"),
                ]), max: 20)),
        .optional("addenda", .list(of: words, max: 1_000)),
    ]

    static let newNote = Schema.object([
        .required("category", .choice(NoteCategory.allCases.map(\.rawValue))), .required("text", .text(max: 20_000)),
    ])
    static let newAddendum = Schema.object([.required("text", .text(max: 20_000))])

    static let words = Schema.object([
        .required("id", .id), .optional("category", .choice(NoteCategory.allCases.map(\.rawValue))),
        .required("text", .text(max: 20_000)), .required("authorId", .id), .required("writtenAt", .instant),
    ])
}
