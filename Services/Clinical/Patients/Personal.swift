import JSON
import Primitives

/// What is personal about a patient, sealed as one value under the patient's own key.
///
/// Its JSON is both what is stored and what a client reads, so opening a record costs no parsing.
struct Personal: Equatable, Sendable {
    var name: String
    var birthDate: LocalDate
    var sex: Sex?
    var phone: String?
    var email: String?
    var address: String?
    var emergencyContact: EmergencyContact?
    var allergies: [HealthFact] = []
    var conditions: [HealthFact] = []

    enum Sex: String, CaseIterable, Sendable, JSONReadable, JSONWritable {
        case female, male, other, unknown
    }
}

struct EmergencyContact: Equatable, Sendable {
    var name: String
    var phone: String
    var relation: String?
}

/// An allergy or a condition: words, and a code where somebody knew one.
struct HealthFact: Equatable, Sendable {
    var text: String
    /// A code of `system`, for instance `J01C` of ATC or `73211009` of SNOMED CT.
    var code: String?
    var system: String?

    init(text: String, code: String? = nil, system: String? = nil) {
        self.text = text
        self.code = code
        self.system = system
    }

    /// The ATC class, when the fact is coded so.
    var atc: String? { system == HealthFact.atcSystem ? code : nil }

    static let atcSystem = "http://www.whocc.no/atc"
    static let snomedSystem = "http://snomed.info/sct"
}

// MARK: JSON, stored and shown

extension Personal: JSONReadable, JSONWritable {
    init?(json: JSONValue) {
        guard let data = JSONObject(json: json), let read = try? Personal(data: data) else { return nil }
        self = read
    }

    init(data: JSONObject) throws(JSONError) {
        name = try data.required("name")
        birthDate = try data.required("birthDate")
        sex = try data.optional("sex")
        phone = try data.optional("phone")
        email = try data.optional("email")
        address = try data.optional("address")
        emergencyContact = try data.optional("emergencyContact")
        allergies = try data.optional("allergies") ?? []
        conditions = try data.optional("conditions") ?? []
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("name", name)
            $0.field("birthDate", birthDate)
            $0.field("sex", sex)
            $0.field("phone", phone)
            $0.field("email", email)
            $0.field("address", address)
            $0.field("emergencyContact", emergencyContact)
            $0.field("allergies", allergies)
            $0.field("conditions", conditions)
        }
    }
}

extension EmergencyContact: JSONReadable, JSONWritable {
    init?(json: JSONValue) {
        guard let data = JSONObject(json: json), let name: String = try? data.required("name"),
            let phone: String = try? data.required("phone")
        else { return nil }
        self.init(name: name, phone: phone, relation: try? data.optional("relation"))
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("name", name)
            $0.field("phone", phone)
            $0.field("relation", relation)
        }
    }
}

extension HealthFact: JSONReadable, JSONWritable {
    init?(json: JSONValue) {
        guard let data = JSONObject(json: json), let text: String = try? data.required("text") else { return nil }
        self.init(text: text, code: try? data.optional("code"), system: try? data.optional("system"))
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("text", text)
            $0.field("code", code)
            $0.field("system", system)
        }
    }
}
