import HTTP
import JSON
import Primitives

/// Reads what a client says about a person: every wrong field is collected before anything is refused.
///
/// A registration and a changed record (the old one with a merge patch applied) pass through the same checks.
struct PatientForm {
    private let form: JSONObject
    private let today: LocalDate
    private var errors: [FieldError] = []

    static let oldestAge = 130

    static func read(_ form: JSONObject, today: LocalDate) throws -> Personal {
        var reader = PatientForm(form: form, today: today)
        let personal = try reader.personal()
        if !reader.errors.isEmpty { throw Problem.invalid(reader.errors) }
        return personal
    }

    /// What is added to and retired from the lists of health.
    static func readHealth(_ form: JSONObject) throws -> HealthChange {
        var reader = PatientForm(form: form, today: LocalDate(daysSinceEpoch: 0))
        let change = HealthChange(
            allergies: try reader.change(of: "allergies"), conditions: try reader.change(of: "conditions"))
        if !reader.errors.isEmpty { throw Problem.invalid(reader.errors) }
        return change
    }

    private init(form: JSONObject, today: LocalDate) {
        self.form = form
        self.today = today
    }

    private mutating func personal() throws -> Personal {
        Personal(
            name: name("/name", try form.optional("name") ?? ""),
            birthDate: try birthDate(),
            sex: try form.optional("sex"),
            phone: phone("/phone", try form.optional("phone")),
            email: email(try form.optional("email")),
            address: try form.optional("address", as: String.self).flatMap { trimmed($0).isEmpty ? nil : trimmed($0) },
            emergencyContact: try contact(),
            allergies: facts("/allergies", form["allergies"]),
            conditions: facts("/conditions", form["conditions"]))
    }

    private mutating func refuse(_ pointer: String, _ code: String, _ detail: String) {
        errors.append(FieldError(pointer: pointer, code: code, detail: detail))
    }

    // MARK: fields

    private mutating func name(_ pointer: String, _ typed: String) -> String {
        let name = trimmed(typed)
        if name.isEmpty {
            refuse(pointer, "required", "A name is needed.")
        } else if name.unicodeScalars.count > 200 {
            refuse(pointer, "too_long", "At most 200 characters.")
        } else if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            refuse(pointer, "invalid_text", "A name has no control characters.")
        } else if !name.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) {
            refuse(pointer, "invalid_text", "A name has at least one letter.")
        }
        return name
    }

    private mutating func birthDate() throws -> LocalDate {
        guard let date = try form.optional("birthDate", as: LocalDate.self) else {
            refuse("/birthDate", "required", "A date of birth is needed.")
            return today
        }
        if date > today {
            refuse("/birthDate", "out_of_range", "Nobody is born in the future.")
        } else if (date.year + Self.oldestAge, date.month, date.day) < (today.year, today.month, today.day) {
            refuse("/birthDate", "out_of_range", "At most \(Self.oldestAge) years ago.")
        }
        return date
    }

    private mutating func phone(_ pointer: String, _ typed: String?) -> String? {
        guard let typed else {
            refuse(pointer, "required", "A phone number is needed.")
            return nil
        }
        guard let phone = PhoneNumber(typed) else {
            refuse(pointer, "invalid_phone", "Ten digits, or + and a country code with 8 to 15 digits in all.")
            return nil
        }
        return phone.text
    }

    private mutating func email(_ typed: String?) -> String? {
        guard let text = typed.map(trimmed), !text.isEmpty else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlausible =
            parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".") && !parts[1].hasPrefix(".")
            && !parts[1].hasSuffix(".") && text.utf8.count <= 254
            && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.properties.generalCategory != .control }
        if !isPlausible { refuse("/email", "invalid_email", "This does not look like an e-mail address.") }
        return text
    }

    private mutating func contact() throws -> EmergencyContact? {
        guard let contact = try form.optional("emergencyContact", as: JSONObject.self) else { return nil }
        let relation = try contact.optional("relation", as: String.self).map(trimmed)
        return EmergencyContact(
            name: name("/emergencyContact/name", try contact.optional("name") ?? ""),
            phone: phone("/emergencyContact/phone", try contact.optional("phone")) ?? "",
            relation: relation?.isEmpty == true ? nil : relation)
    }

    // MARK: allergies and conditions

    /// Each is plain words, or an object with `text` and a code.
    private mutating func facts(_ pointer: String, _ list: JSONValue?) -> [HealthFact] {
        guard case .array(let values)? = list else { return [] }
        if values.count > HealthChange.mostFacts {
            refuse(pointer, "too_many", "At most \(HealthChange.mostFacts).")
            return []
        }
        var facts: [HealthFact] = []
        for (index, value) in values.enumerated() {
            guard let fact = fact("\(pointer)/\(index)", value) else { continue }
            if !facts.contains(fact) { facts.append(fact) }
        }
        return facts
    }

    private mutating func change(of list: String) throws -> HealthChange.List {
        guard let change = try form.optional(list, as: JSONObject.self) else { return HealthChange.List() }
        return HealthChange.List(
            added: facts("/\(list)/add", change["add"]), retired: facts("/\(list)/retire", change["retire"]))
    }

    private mutating func fact(_ pointer: String, _ value: JSONValue) -> HealthFact? {
        switch value {
        case .string(let text): return coded(pointer, text, code: nil, system: nil)
        case .object(let object):
            for member in object.members where !["text", "code", "system", "atc"].contains(member.name) {
                refuse("\(pointer)/\(member.name)", "unknown_field", "Only text, code, system and atc.")
            }
            let atc: String? = word("\(pointer)/atc", object["atc"], max: 7)
            let code = atc ?? word("\(pointer)/code", object["code"], max: 64)
            let system = atc == nil ? word("\(pointer)/system", object["system"], max: 200) : HealthFact.atcSystem
            guard let text = word("\(pointer)/text", object["text"], max: 500) ?? code else {
                refuse("\(pointer)/text", "required", "Say in words what it is.")
                return nil
            }
            return coded(pointer, text, code: code, system: system)
        default:
            refuse(pointer, "wrong_type", "Words, or an object with text.")
            return nil
        }
    }

    private mutating func word(_ pointer: String, _ value: JSONValue?, max: Int) -> String? {
        switch value {
        case nil, .null?: return nil
        case .string(let text)?:
            if text.unicodeScalars.count > max { refuse(pointer, "too_long", "At most \(max) characters.") }
            return trimmed(text).isEmpty ? nil : trimmed(text)
        case _?:
            refuse(pointer, "wrong_type", "A string.")
            return nil
        }
    }

    private mutating func coded(_ pointer: String, _ typed: String, code: String?, system: String?) -> HealthFact? {
        let text = trimmed(typed)
        guard !text.isEmpty, text.unicodeScalars.count <= 500 else {
            refuse(pointer, text.isEmpty ? "required" : "too_long", "Between 1 and 500 characters.")
            return nil
        }
        return HealthFact(text: text, code: code, system: code == nil ? nil : system)
    }

    private func trimmed(_ text: String) -> String {
        var rest = text[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
