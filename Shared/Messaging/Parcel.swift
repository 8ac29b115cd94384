import AMQP
import JSON
import Primitives

/// What leaves the outbox in one message: one fact, or audit entries of one tenant that leave together.
///
/// Each change leaves an audit entry, so half of all messages were those; whoever keeps them knows each by its id, however often and in
/// whatever company it comes (`docs/decisions/0006-events-in-batches.md` has what it saves).
struct Parcel {
    /// More in one message would make it too big to be kept moving.
    static let most = 200
    private static let mostBytes = 128 * 1024

    /// Places of its rows in the batch.
    private var places: [Int]
    private let first: Announced
    private var entries: [[UInt8]]
    private var bytes: Int

    private init(_ place: Int, _ row: Announced, _ entry: [UInt8]?) {
        places = [place]
        first = row
        entries = entry.map { [$0] } ?? []
        bytes = entry?.count ?? 0
    }

    private var isFull: Bool { entries.count == Self.most || bytes >= Self.mostBytes }

    private mutating func add(_ entry: [UInt8], at place: Int) {
        places.append(place)
        entries.append(entry)
        bytes += entry.count
    }

    /// In the order of the rows; what is gathered leaves in the place of its first.
    static func all(of rows: [Announced], from service: String) -> [Parcel] {
        var parcels: [Parcel] = []
        var open: [TenantID: Int] = [:]
        for (place, row) in rows.enumerated() {
            let entry = gathered(row, from: service)
            if let entry, let index = open[row.envelope.tenant], !parcels[index].isFull {
                parcels[index].add(entry, at: place)
                continue
            }
            if entry != nil { open[row.envelope.tenant] = parcels.count }
            parcels.append(Parcel(place, row, entry))
        }
        return parcels
    }

    /// A member of `entries` in `audit.access.recorded.v1`. Nil for what is no audit entry, and for one that the trail could not
    /// read: that one travels alone, so that nobody else's is parked with it.
    private static func gathered(_ row: Announced, from service: String) -> [UInt8]? {
        guard row.envelope.name == AuditRecorded.name, case .object(let data)? = try? JSONValue.parse(Array(row.data.utf8)),
            let recorded = try? AuditRecorded(data: data), recorded.service == service
        else { return nil }
        let envelope = row.envelope
        return AccessRecorded.Entry(
            id: envelope.id, at: envelope.occurredAt, actorID: envelope.actor, role: recorded.role, action: recorded.action,
            resource: recorded.resource, resourceID: recorded.resourceID, allowed: recorded.allowed,
            patientID: recorded.patientID, purpose: recorded.purpose, before: recorded.before, after: recorded.after,
            traceID: Traceparent.traceID(of: envelope.traceparent)
        ).jsonBytes
    }

    func message(to exchange: String, from service: String) -> OutgoingMessage {
        guard entries.count > 1 else { return Self.message(first.envelope, Array(first.data.utf8), to: exchange, from: service) }
        var json = JSONWriter(reserving: bytes + 64)
        json.object {
            $0.field("service", service)
            $0.array("entries", entries) { json, entry in json.raw(entry) }
        }
        let envelope = Envelope(
            id: EventID(), name: AccessRecorded.name, tenant: first.envelope.tenant, subject: service, revision: 0, occurredAt: Timestamp.now(),
            actor: nil, traceparent: Traceparent.fresh())
        return Self.message(envelope, json.bytes, to: exchange, from: service)
    }

    private static func message(_ envelope: Envelope, _ data: [UInt8], to exchange: String, from service: String) -> OutgoingMessage {
        OutgoingMessage(
            exchange: exchange, routingKey: envelope.name.text, messageID: envelope.id.description, contentType: CloudEvent.contentType,
            body: CloudEvent.encode(envelope, source: service, data: data))
    }

    /// What became of each row, from what became of the messages.
    static func outcomes(of count: Int, in parcels: [Parcel], _ answers: [Outcome]) -> [Outcome] {
        var outcomes = Array(repeating: Outcome.unknown, count: count)
        for (parcel, answer) in zip(parcels, answers) {
            for place in parcel.places { outcomes[place] = answer }
        }
        return outcomes
    }
}
