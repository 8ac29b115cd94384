import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives

/// Every statement that touches `contact_request`.
@LoopActor struct ContactRequestStore {
    let sql: any SQLSession
    let keys: RotatingKeys

    private var chain: KeyChain { keys.keys(for: "contact requests") }

    func insert(_ request: ContactRequest, at now: Timestamp) async throws {
        let sealed = try Sealed.seal(request.content.json.jsonBytes, key: chain.current, context: Self.context(request.id))
        try await sql.run(
            """
            insert into contact_request (id, purpose, sealed, created_at, expires_at, next_at)
            values (\(request.id), \(request.purpose.rawValue), \(Bytes(sealed)), \(now),
                    \(now.adding(seconds: request.purpose.life)), \(now))
            """)
    }

    /// Takes some that have not left, for 15 seconds: whoever dies with one leaves it to the next. A notice waits
    /// twice as long each time, and behind the codes, for which somebody waits.
    func claim(at now: Timestamp) async throws -> [(request: ContactRequest, code: String)] {
        try await sql.all(
            """
            update contact_request set attempts = attempts + 1, next_at = \(now)::timestamptz
                + make_interval(secs => case when purpose = 'notice' then least(15 * power(2, attempts), 3600) else 15 end)
            where id in (select id from contact_request
                         where settled_at is null and next_at <= \(now) and expires_at > \(now) and attempts < 20
                         order by purpose = 'notice', next_at limit 16 for update skip locked)
            returning id, purpose, sealed
            """, as: read
        ).compactMap { $0 }
    }

    func settle(_ id: ID<ContactRequest>, at now: Timestamp) async throws {
        try await sql.run("update contact_request set settled_at = \(now) where id = \(id)")
    }

    /// Counts a guess; nil when there are none left, or the time is over. To be committed before the code is compared.
    func guess(
        _ id: ID<ContactRequest>, _ purpose: ContactRequest.Purpose, at now: Timestamp
    ) async throws -> (request: ContactRequest, code: String)? {
        try await sql.first(
            """
            update contact_request set tries = tries + 1
            where id = \(id) and purpose = \(purpose.rawValue) and tries < \(ContactRequest.tries) and used_at is null
              and expires_at > \(now)
            returning id, purpose, sealed
            """, as: read) ?? nil
    }

    /// False when it was used before.
    func use(_ id: ID<ContactRequest>, at now: Timestamp) async throws -> Bool {
        try await sql.run("update contact_request set used_at = \(now) where id = \(id) and used_at is null") == 1
    }

    /// Needs no key: what is over is not read.
    static func sweep(before time: Timestamp, _ sql: any SQLSession) async throws {
        try await sql.run("delete from contact_request where expires_at < \(time)")
    }

    /// Nil for one whose key is no more in the file: it is over, and keeps none of the others from leaving.
    private func read(_ row: inout Row) throws -> (request: ContactRequest, code: String)? {
        let id: ID<ContactRequest> = try row.next()
        let purpose = ContactRequest.Purpose(rawValue: try row.next()) ?? .reset
        let box = try row.next(as: Bytes.self).array
        for key in chain.all {
            guard let opened = try? Sealed.open(box, key: key, context: Self.context(id)) else { continue }
            return (ContactRequest(id: id, purpose: purpose, content: try Self.content(opened)), ContactRequest.code(id, key: key))
        }
        return nil
    }

    private static func content(_ opened: [UInt8]) throws -> ContactRequest.Content {
        guard case .object(let json) = try JSONValue.parse(opened) else {
            throw PostgresError(.decoding, message: "contact_request: no object")
        }
        return try ContactRequest.Content(json)
    }

    private static func context(_ id: ID<ContactRequest>) -> [UInt8] { [UInt8]("auth|contact_request|\(id)|1".utf8) }
}
