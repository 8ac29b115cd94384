import Access
import JSON

extension Schema {
    static let sex = Schema.choice(Personal.Sex.allCases.map(\.rawValue))

    static let patient = Schema.object([
        .required("id", .id),
        .required("mrn", .text(max: 20), "The short number people say: MRN-000123"),
        .required("active", .boolean),
        .required("locationId", .id),
        .required("registeredAt", .instant),
    ] + .personal + [
        .required("restricted", .boolean, "Open to its own clinicians and to a broken glass only")
    ])

    static let patientLine = Schema.object([
        .required("id", .id), .required("mrn", .text(max: 20)), .required("name", .text(max: 200)),
        .required("birthDate", .date), .optional("sex", sex), .optional("phone", .text(max: 16)),
        .required("active", .boolean),
    ])

    static let contact = Schema.object([
        .required("name", .text(max: 200)), .required("phone", .text(max: 30)), .optional("relation", .text(max: 50)),
    ])

    static let healthFact = Schema.object([
        .required("text", .text(max: 500)), .optional("code", .text(max: 64)), .optional("system", .text(max: 200)),
    ])

    static let newPatient = Schema.object([
        .required("name", .text(max: 200)),
        .required("birthDate", .date),
        .optional("sex", .nullable(sex)),
        .required("phone", .text(max: 30), "Ten digits (India), or + and a country code"),
        .optional("email", .nullable(.text(min: 0, max: 254))),
        .optional("address", .nullable(.text(min: 0, max: 500))),
        .optional("emergencyContact", .nullable(contact)),
        .optional("allergies", .list(of: .any, max: 100), factNote),
        .optional("conditions", .list(of: .any, max: 100), factNote),
    ])

    static let patientPatch = Schema.object([
        .optional("name", .text(max: 200)),
        .optional("birthDate", .date),
        .optional("sex", .nullable(sex)),
        .optional("phone", .text(max: 30)),
        .optional("email", .nullable(.text(min: 0, max: 254))),
        .optional("address", .nullable(.text(min: 0, max: 500))),
        .optional(
            "emergencyContact",
            .nullable(
                .object([
                    .optional("name", .text(max: 200)), .optional("phone", .text(max: 30)),
                    .optional("relation", .nullable(.text(max: 50))),
                ]))),
        .optional("allergies", .nullable(.list(of: .any, max: 100)), elsewhereNote),
        .optional("conditions", .nullable(.list(of: .any, max: 100)), elsewhereNote),
        .optional("active", .boolean),
    ])

    static let healthChange = Schema.object([.optional("allergies", healthList), .optional("conditions", healthList)])
    private static let healthList = Schema.object([
        .optional("add", .list(of: .any, max: 100), factNote),
        .optional("retire", .list(of: .any, max: 100), "Each exactly as the record answers it"),
    ])
    private static let elsewhereNote = "Refused: those who treat the patient add and retire, PATCH /v1/patients/{id}/health"

    /// The list's items are checked by `PatientForm`.
    private static let factNote = "Each is plain words, or {text, code, system}; an allergy may give {text, atc}"

    static func page(of item: Schema) -> Schema {
        .object([.required("items", .list(of: item, max: 100)), .optional("nextCursor", .text(max: 500))])
    }
}

extension [Schema.Field] {
    static let personal: [Schema.Field] = [
        .required("name", .text(max: 200)),
        .required("birthDate", .date),
        .optional("sex", .sex),
        .optional("phone", .text(max: 16), "E.164"),
        .optional("email", .text(max: 254), whereNote).only(reaching),
        .optional("address", .text(max: 500), whereNote).only(reaching),
        .optional("emergencyContact", .contact, whereNote).only(reaching),
        .required("allergies", .list(of: .healthFact, max: 100), "For those who treat or dispense")
            .only([.patient, .proxy, .doctor, .nurse, .pharmacist, .admin]),
        .required("conditions", .list(of: .healthFact, max: 100), "For those who treat")
            .only([.patient, .proxy, .doctor, .nurse, .admin]),
    ]

    /// Who writes to a patient, visits them or calls their family. Money, medicines, samples and audits need name and phone
    /// (minimum necessary, 45 CFR 164.502(b)).
    private static let reaching = Set(Role.allCases).subtracting([.cashier, .pharmacist, .lab, .auditor])
    private static let whereNote = "For the desk and for those who treat"

    static let paging: [Schema.Field] = [
        .optional("limit", .integer(1...100), "50 by default"), .optional("cursor", .text(max: 500)),
    ]
}
