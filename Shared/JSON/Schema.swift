/// What a JSON value may be: it checks request bodies and queries, and it is the OpenAPI document.
///
/// One value serves both, so the documentation cannot promise what the check refuses.
package indirect enum Schema: Sendable {
    /// Text of `min` to `max` Unicode scalars after no trimming at all; `pattern` is documentation only.
    case text(min: Int = 1, max: Int)
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case boolean
    /// A UUID.
    case id
    /// `YYYY-MM-DD`, a day that exists.
    case date
    /// `HH:MM`
    case time
    /// RFC 3339 with an offset.
    case instant
    /// `{"amount": …, "currency": …}` with the amount in this range of minor units.
    case money(ClosedRange<Int64>)
    case choice([String])
    case list(of: Schema, min: Int = 0, max: Int)
    case object([Field])
    /// The value or null: in a merge patch, null clears.
    case nullable(Schema)
    /// Any JSON value: for documents that others define. Answers only, not for request bodies.
    case any

    package struct Field: Sendable {
        package let name: String
        package let schema: Schema
        package let isRequired: Bool
        package let note: String?
        /// The roles that are answered this field; nil is everybody who may use the route. Whoever is none of them gets
        /// the answer without it. `Access` fills this in with its roles and enforces it on the way out.
        package private(set) var readers: Set<String>?

        private init(name: String, schema: Schema, isRequired: Bool, note: String?) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
            self.note = note
        }

        package static func required(_ name: String, _ schema: Schema, _ note: String? = nil) -> Field {
            Field(name: name, schema: schema, isRequired: true, note: note)
        }
        package static func optional(_ name: String, _ schema: Schema, _ note: String? = nil) -> Field {
            Field(name: name, schema: schema, isRequired: false, note: note)
        }

        package func readable(by roles: Set<String>) -> Field {
            var copy = self
            copy.readers = roles
            return copy
        }
    }
}

/// One wrong field: `pointer` is a JSON Pointer (RFC 6901), `code` is stable snake_case
/// (`required`, `wrong_type`, `out_of_range`, `too_long`, `unknown_field`, `invalid_date` …).
package struct FieldError: Equatable, Sendable {
    package let pointer: String
    package let code: String
    package let detail: String
    package init(pointer: String, code: String, detail: String) {
        self.pointer = pointer
        self.code = code
        self.detail = detail
    }
}
