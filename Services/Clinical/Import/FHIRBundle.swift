import JSON
import Primitives

/// Reads one person out of a FHIR R4 bundle as Synthea writes them: demographics, allergies, conditions, encounters
/// and vital signs. What we have no place for is left out.
struct FHIRBundle {
    enum Failure: Error, CustomStringConvertible {
        case notABundle, noPatient

        var description: String {
            switch self {
            case .notABundle: "is not a FHIR bundle"
            case .noPatient: "holds no patient with a name and a date of birth"
            }
        }
    }

    struct Encounter {
        let id: String
        let start: Timestamp
        let end: Timestamp
        let findings: Findings
        let vitals: Vitals
    }

    let patientID: String
    let personal: Personal
    /// Oldest first.
    let encounters: [Encounter]

    init(bytes: [UInt8]) throws {
        guard case .object(let bundle) = try JSONValue.parse(bytes), bundle.text("resourceType") == "Bundle" else {
            throw Failure.notABundle
        }
        let resources = bundle.objects("entry").compactMap { $0.object("resource") }
        func all(_ type: String) -> [JSONObject] { resources.filter { $0.text("resourceType") == type } }

        guard let patient = all("Patient").first, let id = patient.text("id"), let name = Self.name(of: patient),
            let birthDate = patient.text("birthDate").flatMap({ LocalDate($0) })
        else { throw Failure.noPatient }
        patientID = id
        let address = patient.objects("address").first
        personal = Personal(
            name: name, birthDate: birthDate, sex: patient.text("gender").flatMap { Personal.Sex(rawValue: $0) },
            phone: Self.telecom("phone", of: patient).flatMap {
                PhoneNumber($0, country: address?.text("country") == "US" ? "1" : "91")?.text
            },
            email: Self.telecom("email", of: patient), address: address.map(Self.line(of:)),
            allergies: Self.facts(all("AllergyIntolerance")), conditions: Self.facts(all("Condition").filter(Self.isActive)))

        let diagnoses = Dictionary(grouping: all("Condition"), by: Self.encounter(of:))
        let observations = Dictionary(grouping: all("Observation"), by: Self.encounter(of:))
        encounters = all("Encounter").compactMap { encounter in
            guard let id = encounter.text("id"), let period = encounter.object("period"),
                let start = period.text("start").flatMap({ Timestamp($0) })
            else { return nil }
            let reason = encounter.objects("reasonCode").first ?? encounter.objects("type").first
            return Encounter(
                id: id, start: start, end: max(start, period.text("end").flatMap { Timestamp($0) } ?? start),
                findings: Findings(
                    chiefComplaint: reason.flatMap(Self.words(of:)),
                    diagnoses: (diagnoses[id] ?? []).compactMap { condition in
                        guard let fact = Self.fact(condition) else { return nil }
                        return Diagnosis(text: fact.text, code: fact.code, system: fact.system)
                    }),
                vitals: Self.vitals(observations[id] ?? []))
        }.sorted { $0.start < $1.start }
    }

    // MARK: the person

    private static func name(of patient: JSONObject) -> String? {
        let names = patient.objects("name")
        guard let name = names.first(where: { $0.text("use") == "official" }) ?? names.first else { return nil }
        let words = name.texts("given") + [name.text("family")].compactMap { $0 }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private static func telecom(_ system: String, of patient: JSONObject) -> String? {
        patient.objects("telecom").first { $0.text("system") == system }?.text("value")
    }

    private static func line(of address: JSONObject) -> String {
        let parts = address.texts("line") + ["city", "state", "postalCode", "country"].compactMap { address.text($0) }
        return String(parts.joined(separator: ", ").prefix(500))
    }

    // MARK: codes

    private static func words(of concept: JSONObject) -> String? {
        concept.text("text") ?? concept.objects("coding").first?.text("display")
    }

    private static func fact(_ resource: JSONObject) -> HealthFact? {
        guard let concept = resource.object("code"), let text = words(of: concept) else { return nil }
        let coding = concept.objects("coding").first
        return HealthFact(text: text, code: coding?.text("code"), system: coding?.text("system"))
    }

    private static func facts(_ resources: [JSONObject]) -> [HealthFact] {
        resources.compactMap(fact).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func isActive(_ condition: JSONObject) -> Bool {
        condition.object("clinicalStatus")?.objects("coding").first?.text("code") == "active"
    }

    private static func encounter(of resource: JSONObject) -> String {
        let reference = resource.object("encounter")?.text("reference") ?? ""
        return reference.hasPrefix("urn:uuid:") ? String(reference.dropFirst(9)) : reference
    }

    // MARK: vital signs

    private static func vitals(_ observations: [JSONObject]) -> Vitals {
        var vitals = Vitals()
        // Blood pressure is one observation of two components.
        for part in observations + observations.flatMap({ $0.objects("component") }) {
            guard let code = part.object("code")?.objects("coding").first?.text("code"),
                let vital = Vital(loinc: code == "8331-1" ? Vital.temperatureC.loinc : code),
                let value = part.object("valueQuantity")?.number("value")
            else { continue }
            let rounded = vital.isWhole ? value.rounded() : (value * 10).rounded() / 10
            if vital.range.contains(rounded) { vitals[vital] = rounded }
        }
        if !vitals.isPressurePlausible { (vitals[.systolic], vitals[.diastolic]) = (nil, nil) }
        return vitals
    }
}

/// FHIR R4's JSON has no empty strings; files of others have empty and blank ones all the same, and those say nothing.
extension JSONObject {
    fileprivate func text(_ name: String) -> String? { self[name].flatMap { String(json: $0) }.flatMap { $0.saysSomething ? $0 : nil } }
    fileprivate func number(_ name: String) -> Double? { self[name].flatMap { Double(json: $0) } }
    fileprivate func object(_ name: String) -> JSONObject? { self[name].flatMap { JSONObject(json: $0) } }
    fileprivate func objects(_ name: String) -> [JSONObject] { self[name].flatMap { [JSONObject](json: $0) } ?? [] }
    fileprivate func texts(_ name: String) -> [String] {
        (self[name].flatMap { [String](json: $0) } ?? []).filter(\.saysSomething)
    }
}

extension String {
    fileprivate var saysSomething: Bool { !allSatisfy(\.isWhitespace) }
}
