import JSON
import Primitives

/// A person's record as a FHIR R4 collection: what other systems can read of an export.
struct FHIRRecord: JSONWritable {
    let record: PersonRecord

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("resourceType", "Bundle")
            $0.field("type", "collection")
            $0.array("entry", resources) { json, resource in
                json.object { $0.field("resource", resource) }
            }
        }
    }

    var resources: [JSONValue] {
        [person] + allergies + record.patient.personal.conditions.enumerated().map { condition($1, "condition-\($0)", nil) }
            + record.visits.flatMap(resources(of:)) + record.consents.map(consent)
    }

    private var subject: JSONValue { reference("Patient/\(record.patient.id)") }

    private var person: JSONValue {
        let personal = record.patient.personal
        let telecom = [("phone", personal.phone), ("email", personal.email)].compactMap { system, value in
            value.map { object([("system", .string(system)), ("value", .string($0))]) }
        }
        var members: [(String, JSONValue)] = [
            ("resourceType", .string("Patient")), ("id", .string("\(record.patient.id)")),
            ("identifier", .array([object([("value", .string(record.patient.mrn.text))])])),
            ("active", .bool(record.patient.active)),
            ("name", .array([object([("text", .string(personal.name))])])),
            ("birthDate", .string(personal.birthDate.description)), ("telecom", .array(telecom)),
        ]
        if let sex = personal.sex { members.append(("gender", .string(sex.rawValue))) }
        if let address = personal.address { members.append(("address", .array([object([("text", .string(address))])]))) }
        if let other = personal.emergencyContact {
            var contact: [(String, JSONValue)] = [
                ("name", object([("text", .string(other.name))])),
                ("telecom", .array([object([("system", .string("phone")), ("value", .string(other.phone))])])),
            ]
            if let relation = other.relation { contact.append(("relationship", .array([object([("text", .string(relation))])]))) }
            members.append(("contact", .array([object(contact)])))
        }
        return object(members.filter { $0.1 != .array([]) })
    }

    private var allergies: [JSONValue] {
        record.patient.personal.allergies.enumerated().map { index, fact in
            object([
                ("resourceType", .string("AllergyIntolerance")), ("id", .string("allergy-\(index)")),
                ("patient", subject), ("code", concept(fact.text, fact.code, fact.system)),
            ])
        }
    }

    private func condition(_ fact: HealthFact, _ id: String, _ encounter: JSONValue?) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("resourceType", .string("Condition")), ("id", .string(id)), ("subject", subject),
            ("code", concept(fact.text, fact.code, fact.system)),
        ]
        if let encounter { members.append(("encounter", encounter)) }
        return object(members)
    }

    private func resources(of whole: PersonRecord.Whole) -> [JSONValue] {
        let visit = whole.visit
        let encounter = reference("Encounter/\(visit.id)")
        var period: [(String, JSONValue)] = [("start", .string("\(visit.startedAt)"))]
        if let end = visit.completedAt { period.append(("end", .string("\(end)"))) }
        var members: [(String, JSONValue)] = [
            ("resourceType", .string("Encounter")), ("id", .string("\(visit.id)")),
            ("status", .string(visit.completedAt == nil ? "in-progress" : "finished")),
            ("class", object([("system", .string("http://terminology.hl7.org/CodeSystem/v3-ActCode")), ("code", .string("AMB"))])),
            ("subject", subject), ("period", object(period)),
        ]
        if let complaint = visit.findings.chiefComplaint {
            members.append(("reasonCode", .array([object([("text", .string(complaint))])])))
        }
        let diagnoses = visit.findings.diagnoses.enumerated().map { index, diagnosis in
            condition(
                HealthFact(text: diagnosis.text, code: diagnosis.code, system: diagnosis.system),
                "\(visit.id)-diagnosis-\(index)", encounter)
        }
        let plan = visit.findings.treatmentPlan.map { [words($0, "\(visit.id)-plan", encounter)] } ?? []
        return [object(members)] + diagnoses + plan + observations(visit, encounter)
            + (whole.notes + whole.addenda).map { words($0.text, "\($0.id)", encounter) }
            + whole.prescriptions.flatMap { requests($0, encounter) }
    }

    private func observations(_ visit: Visit, _ encounter: JSONValue) -> [JSONValue] {
        visit.vitals.values.sorted { $0.key.rawValue < $1.key.rawValue }.map { vital, value in
            object([
                ("resourceType", .string("Observation")), ("id", .string("\(visit.id)-\(vital.loinc)")),
                ("status", .string("final")), ("subject", subject), ("encounter", encounter),
                ("code", concept(vital.rawValue, vital.loinc, "http://loinc.org")),
                (
                    "valueQuantity",
                    object([
                        ("value", .double(value)), ("unit", .string(vital.unit)),
                        ("system", .string("http://unitsofmeasure.org")), ("code", .string(vital.unit)),
                    ])
                ),
            ])
        }
    }

    private func words(_ text: String, _ id: String, _ encounter: JSONValue) -> JSONValue {
        object([
            ("resourceType", .string("ClinicalImpression")), ("id", .string(id)), ("status", .string("completed")),
            ("subject", subject), ("encounter", encounter), ("summary", .string(text)),
        ])
    }

    private func requests(_ prescription: Prescription, _ encounter: JSONValue) -> [JSONValue] {
        prescription.items.map { item in
            let daily = "\(item.dose) \(item.doseUnit), \(item.frequencyPerDay) times a day for \(item.durationDays) days"
            let text = [daily, item.instructions].compactMap { $0 }.joined(separator: ". ")
            return object([
                ("resourceType", .string("MedicationRequest")), ("id", .string("\(item.id)")),
                ("status", .string("active")), ("intent", .string("order")), ("subject", subject),
                ("encounter", encounter), ("authoredOn", .string("\(prescription.issuedAt)")),
                ("medicationCodeableConcept", concept(item.medicine.name, item.medicine.atc, HealthFact.atcSystem)),
                ("dosageInstruction", .array([object([("text", .string(text))])])),
            ])
        }
    }

    private func consent(_ consent: Consent) -> JSONValue {
        object([
            ("resourceType", .string("Consent")), ("id", .string("\(consent.id)")),
            ("status", .string(consent.withdrawnAt == nil ? "active" : "inactive")), ("patient", subject),
            ("dateTime", .string("\(consent.givenAt)")),
            ("scope", object([("text", .string(consent.purpose.rawValue))])),
            ("category", .array([object([("text", .string("\(consent.document) \(consent.documentVersion)"))])])),
        ])
    }

    private func concept(_ text: String, _ code: String?, _ system: String?) -> JSONValue {
        var members: [(String, JSONValue)] = [("text", .string(text))]
        if let code {
            var coding: [(String, JSONValue)] = [("code", .string(code))]
            if let system { coding.append(("system", .string(system))) }
            members.append(("coding", .array([object(coding)])))
        }
        return object(members)
    }

    private func reference(_ to: String) -> JSONValue { object([("reference", .string(to))]) }

    private func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members.map { (name: $0.0, value: $0.1) }))
    }
}
