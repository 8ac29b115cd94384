import Primitives

extension Schema {
    /// More wrong fields than this help nobody.
    static let errorLimit = 100

    /// Everything that is wrong with `value`, with a JSON Pointer each. Details say what is expected and never
    /// repeat what was sent.
    package func check(_ value: JSONValue, at pointer: String = "") -> [FieldError] {
        var errors: [FieldError] = []
        check(value, at: pointer, into: &errors)
        return errors
    }

    private func check(_ value: JSONValue, at pointer: String, into errors: inout [FieldError]) {
        guard errors.count < Schema.errorLimit else { return }
        switch (self, value) {
        case (.any, _), (.nullable, .null): return
        case (.nullable(let inner), _): inner.check(value, at: pointer, into: &errors)
        case (.object(let fields), .object(let object)):
            Schema.check(object, against: fields, at: pointer, into: &errors)
        case (.list(of: let element, let min, let max), .array(let elements)):
            if elements.count < min {
                errors.append(FieldError(pointer: pointer, code: "too_few", detail: "Give at least \(min)."))
            } else if elements.count > max {
                errors.append(FieldError(pointer: pointer, code: "too_many", detail: "Give at most \(max)."))
            } else {
                for (index, item) in elements.enumerated() {
                    element.check(item, at: "\(pointer)/\(index)", into: &errors)
                }
            }
        default:
            guard let wrong = scalarRefusal(value) else { return }
            errors.append(FieldError(pointer: pointer, code: wrong.code, detail: wrong.detail))
        }
    }

    private static func check(
        _ object: JSONObject, against fields: [Field], at pointer: String, into errors: inout [FieldError]
    ) {
        for field in fields {
            let place = "\(pointer)/\(escaped(field.name))"
            if let value = object[field.name] {
                field.schema.check(value, at: place, into: &errors)
            } else if field.isRequired {
                errors.append(FieldError(pointer: place, code: "required", detail: "This field is required."))
            }
        }
        for member in object.members where !fields.contains(where: { $0.name == member.name }) {
            guard errors.count < errorLimit else { return }
            errors.append(
                FieldError(
                    pointer: unknown(member.name, at: pointer), code: "unknown_field",
                    detail: "There is no such field."))
        }
    }

    /// What is wrong with a value that has no parts; nil when nothing is.
    private func scalarRefusal(_ value: JSONValue) -> (code: String, detail: String)? {
        switch (self, value) {
        case (.text(let min, let max), .string(let text)):
            return Schema.lengthRefusal(text, min: min, max: max)
        case (.integer(let range), .int(let number)):
            return range.contains(number) ? nil : ("out_of_range", rangeText)
        case (.number(let range), .int(let number)):
            return range.contains(Double(number)) ? nil : ("out_of_range", rangeText)
        case (.number(let range), .double(let number)):
            return range.contains(number) ? nil : ("out_of_range", rangeText)
        case (.boolean, .bool): return nil
        case (.id, .string(let text)):
            return ID<Never>(text) != nil ? nil : ("invalid_id", "Give a UUID.")
        case (.date, .string(let text)):
            return LocalDate(text) != nil ? nil : ("invalid_date", "Give a day that exists as YYYY-MM-DD.")
        case (.time, .string(let text)):
            return LocalTime(text) != nil ? nil : ("invalid_time", "Give a time as HH:MM.")
        case (.instant, .string(let text)):
            return Timestamp(text) != nil
                ? nil : ("invalid_instant", "Give an RFC 3339 instant with an offset, such as 2026-11-20T09:30:00Z.")
        case (.choice(let words), .string(let text)):
            return words.contains(text)
                ? nil : ("invalid_choice", "Give one of: \(words.joined(separator: ", ")).")
        case (.money(let range), .object(let object)):
            return Schema.moneyRefusal(object, range)
        default: return ("wrong_type", wrongType(value))
        }
    }

    private static func lengthRefusal(_ text: String, min: Int, max: Int) -> (code: String, detail: String)? {
        // A scalar has one to four bytes, so most texts need no counting.
        let bytes = text.utf8.count
        if bytes <= max && bytes >= min * 4 { return nil }
        let count = text.unicodeScalars.count
        if count < min { return ("too_short", "Give at least \(min) character\(min == 1 ? "" : "s").") }
        return count > max ? ("too_long", "Give at most \(max) characters.") : nil
    }

    private static func moneyRefusal(
        _ object: JSONObject, _ range: ClosedRange<Int64>
    ) -> (code: String, detail: String)? {
        guard object.members.count == 2, case .int(let amount)? = object["amount"],
            case .string(let code)? = object["currency"], Currency(code) != nil
        else {
            return ("invalid_money", "Give an amount in minor units and an ISO 4217 currency: {amount, currency}.")
        }
        return range.contains(amount) && amount.magnitude <= Money.limit.magnitude
            ? nil : ("out_of_range", "Give an amount from \(range.lowerBound) to \(range.upperBound) minor units.")
    }

    // MARK: words

    private func wrongType(_ value: JSONValue) -> String {
        value == .null ? "This field must not be null; leave it out instead." : "Give \(expected)."
    }

    private var expected: String {
        switch self {
        case .text: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "true or false"
        case .id: "a UUID as a string"
        case .date: "a day as a string, YYYY-MM-DD"
        case .time: "a time as a string, HH:MM"
        case .instant: "an RFC 3339 instant as a string"
        case .money: "an object with amount and currency"
        case .choice: "a string"
        case .list: "an array"
        case .object: "an object"
        case .nullable(let inner): inner.expected + " or null"
        case .any: "a value"
        }
    }

    private var rangeText: String {
        switch self {
        case .integer(let range): "Give an integer from \(range.lowerBound) to \(range.upperBound)."
        case .number(let range): "Give a number from \(range.lowerBound) to \(range.upperBound)."
        default: "Give a value within its range."
        }
    }

    /// RFC 6901.
    private static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == 0x7e || $0 == 0x2f }) else { return name }
        return name.reduce(into: "") { $0 += $1 == "~" ? "~0" : $1 == "/" ? "~1" : String($1) }
    }

    /// The place of a member nobody knows. Its name is the client's text, so only a short plain one is repeated.
    private static func unknown(_ name: String, at pointer: String) -> String {
        let isPlain = name.utf8.count <= 64 && name.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        return isPlain ? "\(pointer)/\(escaped(name))" : pointer
    }
}
