import Primitives

/// Instants, days, times, identifiers, currencies and zones from text, and the arithmetic behind them. The first byte
/// chooses text or a time zone file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    if input.byte() == 1 {
        if let zone = Zone(name: "fuzz", tzif: input.rest) { ask(zone) }
        return 0
    }
    guard let text = input.text else { return 0 }
    if let value = Timestamp(text) {
        must(Timestamp.range.contains(value.microseconds), "an instant is within its range")
        must(Timestamp(value.description) == value, "an instant survives the wire")
        _ = kolkata?.localDate(of: value)
    }
    if let value = LocalDate(text) {
        must(value.description == text, "a day has one spelling")
        must(LocalDate(daysSinceEpoch: value.daysSinceEpoch) == value, "a day is a number of days")
        must((1...7).contains(value.weekday), "a week has seven days")
        _ = (value.adding(days: 1), kolkata?.instants(of: value, .midnight))
    }
    if let value = LocalTime(text) { must(value.description == text, "a time has one spelling") }
    if let value = ID<Tenant>(text) {
        must(ID<Tenant>(value.description) == value, "an identifier survives the wire")
        must(value.description == text.lowercased(), "an identifier is written in lower case")
    }
    if let value = Currency(text) { must(value.description == text, "a currency is its code") }
    if let zone = Zone(text) { ask(zone) }
    return 0
}

private let kolkata = Zone("Asia/Kolkata")
private let days = [LocalDate(daysSinceEpoch: .min), LocalDate(daysSinceEpoch: 20_777), LocalDate(daysSinceEpoch: .max)]

private func ask(_ zone: Zone) {
    for day in days {
        let found = zone.instants(of: day, .midnight)
        must(found == found.sorted() && found.count <= 2, "instants come in order, two at most")
        let start = zone.start(of: day)
        _ = (zone.offset(at: start), zone.localDate(of: start), zone.localTime(of: start))
    }
    _ = zone.localDate(of: Timestamp(microseconds: .min))
    _ = zone.localDate(of: Timestamp(microseconds: .max))
}
