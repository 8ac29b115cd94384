import Access
import Cryptography
import JSON
import Primitives

/// The public keys in their order of life: one to come, the one that signs, and those whose tokens still live.
///
///     publish   a next key is among the published ones, and signs nothing: every reader learns of it in time
///     activate  it signs; the old one stays published, because its tokens are still out there
///     retire    the old ones go, once their last token has expired
struct KeyRotation: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let id: String
        /// When it was published (the next one) or stopped signing (retired ones).
        let since: Timestamp
    }

    enum Refusal: Error, Equatable {
        case alreadyPublished
        case nothingPublished
        /// Some reader may not know the next key yet: wait that long.
        case tooEarly(seconds: Int64)
    }

    private(set) var next: Entry?
    private(set) var retired: [Entry] = []

    /// Readers look every 30 seconds, caches of the JWKS keep it for 300.
    static let shortestNotice: Int64 = 360
    static let usualNotice: Int64 = 86_400
    /// The longest token, the verifiers' leeway, and a reader's interval.
    static let afterlife: Int64 = 900 + 30 + 30

    mutating func publish(_ id: String, at now: Timestamp) throws(Refusal) {
        guard next == nil else { throw .alreadyPublished }
        next = Entry(id: id, since: now)
    }

    /// The key that signs from now on.
    mutating func activate(insteadOf old: String, notice: Int64, at now: Timestamp) throws(Refusal) -> String {
        guard let next else { throw .nothingPublished }
        let age = now.seconds(since: next.since)
        guard age >= notice else { throw .tooEarly(seconds: notice - age) }
        retire(old, at: now)
        self.next = nil
        return next.id
    }

    /// `old` signs no more from now on, whatever was written about it before.
    mutating func retire(_ old: String, at now: Timestamp) {
        retired.removeAll { $0.id == old }
        retired.append(Entry(id: old, since: now))
    }

    /// Whether the step that made `signer` sign no more was begun and not finished: it is written down as retired.
    func isInterrupted(signer: String) -> Bool { next == nil && retired.contains { $0.id == signer } }

    /// The keys nobody needs any more. Never the one that signs, whatever is written about it: a crash may have come
    /// between writing it down and the next key's first signature.
    mutating func retire(at now: Timestamp, keeping signer: String) -> [String] {
        let gone = retired.filter { $0.id != signer && now.seconds(since: $0.since) >= Self.afterlife }
        retired.removeAll { gone.contains($0) }
        return gone.map(\.id)
    }
}

extension KeyRotation: JSONWritable {
    /// The file beside the keys.
    init?(json bytes: [UInt8]) {
        guard case .object(let object)? = try? JSONValue.parse(bytes),
            let retired = try? object.required("retired", as: [JSONObject].self)
        else { return nil }
        next = (try? object.optional("next", as: JSONObject.self)).flatMap { $0 }.flatMap(Entry.init)
        self.retired = retired.compactMap(Entry.init)
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("next", next)
            $0.field("retired", retired)
        }
    }
}

extension KeyRotation.Entry: JSONWritable {
    fileprivate init?(_ object: JSONObject) {
        guard let id: String = try? object.required("kid"), let since: Timestamp = try? object.required("since") else {
            return nil
        }
        self.init(id: id, since: since)
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("kid", id)
            $0.field("since", since)
        }
    }
}
