import HTTP
import JSON
import Primitives

/// Reads lines and discount of a request body. The schema has been checked; what it cannot say is checked here.
struct ChargeReader {
    let defaultTax: Percent

    /// Nil when the request leaves the lines out.
    func charges(_ body: JSONObject) throws -> [Charge]? {
        guard let lines = try body.optional("lines", as: [JSONObject].self) else { return nil }
        var errors: [FieldError] = []
        var charges: [Charge] = []
        for (index, line) in lines.enumerated() {
            var tax = defaultTax
            if let given = line["taxPercent"] {
                guard let percent = Percent(json: given) else {
                    errors.append(Self.badPercent("/lines/\(index)/taxPercent"))
                    continue
                }
                tax = percent
            }
            charges.append(
                Charge(
                    try line.required("description"), quantity: try line.required("quantity"),
                    unitPrice: try line.required("unitPrice"), tax: tax))
        }
        guard errors.isEmpty else { throw Problem.invalid(errors) }
        return charges
    }

    /// Nil when the request leaves the discount out; null takes it away.
    static func discount(_ body: JSONObject) throws -> Discount? {
        guard body.has("discount") else { return nil }
        guard let discount = try body.optional("discount", as: JSONObject.self) else { return Discount.none }
        switch (discount["percent"], try discount.optional("amount", as: Money.self)) {
        case (let number?, nil):
            guard let percent = Percent(json: number) else { throw Problem.invalid([badPercent("/discount/percent")]) }
            return .percent(percent)
        case (nil, let money?): return .amount(money)
        default: throw Problem.invalid("discount", "one_of", "Either a percent or an amount.")
        }
    }

    private static func badPercent(_ pointer: String) -> FieldError {
        FieldError(pointer: pointer, code: "out_of_range", detail: "A rate from 0 to 100 with at most two decimals.")
    }
}
