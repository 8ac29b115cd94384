import Contracts
import JSON
import Messaging
import Primitives

/// What comes from the broker: the CloudEvents envelope, then the event that its name promises. The first byte chooses
/// an event by its place among the names in order (`seeds.py` counts alike), whose data the rest is, or, when 255, the
/// whole envelope.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    let choice = input.byte()
    if choice == 255 {
        envelope(input.rest)
    } else if let value = try? JSONValue.parse(input.rest), let data = JSONObject(json: value) {
        reread(events[Int(choice) % events.count], data)
    }
    return 0
}

private let events = Catalogue.events.sorted { $0.name.text < $1.name.text }

private func envelope(_ bytes: [UInt8]) {
    guard let event = try? CloudEvent(bytes) else { return }
    let child = Traceparent.child(of: event.envelope.traceparent)
    must(Traceparent.isValid(child), "whatever came, a valid trace goes on")
    _ = (event.envelope.name.service, event.envelope.name.aggregate)
    let written = CloudEvent.encode(event.envelope, source: "x", data: event.data.jsonBytes)
    guard let again = try? CloudEvent(written) else { return must(false, "an event survives the wire") }
    must(again.data == event.data && again.envelope.id == event.envelope.id, "an event survives the wire unchanged")
    must(again.envelope.occurredAt == event.envelope.occurredAt, "its time too")
    for entry in Catalogue.events where entry.name == event.envelope.name { reread(entry, event.data) }
}

private func reread(_ entry: CatalogueEntry, _ data: JSONObject) {
    guard let once = try? entry.reread(data) else { return }
    guard let value = try? JSONValue.parse(once), let object = JSONObject(json: value), let twice = try? entry.reread(object)
    else { return must(false, "\(entry.name) reads what it wrote") }
    must(once == twice, "\(entry.name) writes what it read")
}
