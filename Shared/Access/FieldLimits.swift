import JSON

extension Schema.Field {
    /// Answered to these roles only, whoever else may use the route: the desk books a patient without reading what
    /// the patient suffers from.
    package func only(_ roles: Set<Role>) -> Schema.Field { readable(by: Set(roles.map(\.rawValue))) }
}

extension Schema {
    /// Whether any field in here is for some readers only.
    package var isLimited: Bool {
        switch self {
        case .object(let fields): fields.contains { $0.readers != nil || $0.schema.isLimited }
        case .list(of: let element, min: _, max: _): element.isLimited
        case .nullable(let inner): inner.isLimited
        default: false
        }
    }

    /// `allergies | doctor nurse …`, for the matrix that people review.
    var limitedFields: [String] {
        switch self {
        case .object(let fields):
            fields.flatMap { field in
                field.schema.limitedFields.map { "\(field.name).\($0)" }
                    + (field.readers.map { readers in
                        let names = Role.allCases.map(\.rawValue).filter(readers.contains)
                        return ["\(field.name) | \(names.joined(separator: " "))"]
                    } ?? [])
            }
        case .list(of: let element, min: _, max: _): element.limitedFields
        case .nullable(let inner): inner.limitedFields
        default: []
        }
    }

    /// Whether one with these roles is answered less than everything.
    package func hides(from roles: Set<String>) -> Bool {
        switch self {
        case .object(let fields):
            fields.contains { ($0.readers?.isDisjoint(with: roles) ?? false) || $0.schema.hides(from: roles) }
        case .list(of: let element, min: _, max: _): element.hides(from: roles)
        case .nullable(let inner): inner.hides(from: roles)
        default: false
        }
    }

    /// `value` without what one with these roles is not answered.
    package func visible(_ value: JSONValue, to roles: Set<String>) -> JSONValue {
        switch (self, value) {
        case (.object(let fields), .object(let object)):
            let members = object.members.compactMap { member -> (name: String, value: JSONValue)? in
                guard let field = fields.first(where: { $0.name == member.name }) else { return member }
                if let readers = field.readers, readers.isDisjoint(with: roles) { return nil }
                return (member.name, field.schema.visible(member.value, to: roles))
            }
            return .object(JSONObject(members))
        case (.list(of: let element, min: _, max: _), .array(let values)):
            return .array(values.map { element.visible($0, to: roles) })
        case (.nullable(let inner), let value): return inner.visible(value, to: roles)
        default: return value
        }
    }
}
