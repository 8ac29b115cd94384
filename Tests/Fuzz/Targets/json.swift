import JSON
import Primitives

/// The JSON reader, the schema check and the typed readers behind it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Input(start, count).rest
    guard let value = try? JSONValue.parse(bytes) else { return 0 }

    var json = JSONWriter()
    value.write(to: &json)
    let again = try? JSONValue.parse(json.bytes)
    must(again == value, "what the writer writes, the reader reads as the same")

    let errors = everything.check(value)
    must(errors.allSatisfy { !$0.code.isEmpty && !$0.detail.isEmpty }, "every error says what is wrong")
    if errors.isEmpty, case .object(let body) = value { readAll(body) }
    // A body is read only after its check, an event without one: both must only refuse.
    readLeaves(value)
    return 0
}

private let person = Schema.object([
    .required("name", .text(max: 20)), .optional("note", .nullable(.text(min: 2, max: 40))), .optional("born", .date),
    .optional("flag", .boolean),
])
private let everything = Schema.object([
    .required("id", .id), .optional("people", .list(of: person, min: 1, max: 3)), .optional("price", .money(0...1_000_000)),
    .optional("debt", .money(Int64.min...Int64.max)),
    .optional("count", .integer(-5...5_000_000_000)), .optional("rate", .number(-1.5...100)), .optional("at", .instant),
    .optional("time", .time), .optional("kind", .choice(["a", "b", "kind of a"])), .optional("x/y~z", .nullable(.any)),
])

/// What passed the check must be readable as its type.
private func readAll(_ body: JSONObject) {
    do {
        let _: ID<Tenant> = try body.required("id")
        let _: Money? = try body.optional("price")
        let _: Money? = try body.optional("debt")
        let _: Int? = try body.optional("count")
        let _: Double? = try body.optional("rate")
        let _: Timestamp? = try body.optional("at")
        let _: LocalTime? = try body.optional("time")
        for person in try body.optional("people", as: [JSONObject].self) ?? [] {
            let _: String = try person.required("name")
            let _: LocalDate? = try person.optional("born")
            let _: Bool? = try person.optional("flag")
        }
    } catch { must(false, "a checked body reads as its types") }
}

private func readLeaves(_ value: JSONValue) {
    _ = (String(json: value), Bool(json: value), Int(json: value), Int64(json: value), Double(json: value))
    _ = (ID<Tenant>(json: value), Timestamp(json: value), LocalDate(json: value), LocalTime(json: value))
    if let money = Money(json: value) {
        _ = try? money.plus(money).times(-3).part(basisPoints: 1850)
        must(money.amount.magnitude <= Money.limit.magnitude, "no amount is beyond the limit")
    }
    if let percent = Percent(json: value) { must(Percent(percent.number) == percent, "a percentage survives the wire") }
    switch value {
    case .array(let values): for value in values { readLeaves(value) }
    case .object(let object): for member in object.members { readLeaves(member.value) }
    default: return
    }
}
