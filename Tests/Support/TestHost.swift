import Access
import Bootstrap
import Cryptography
import Glibc
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// One service in this process, on a database of its own: requests go through the whole pipeline, only the socket
/// is left out.
///
///     try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { host in
///         let answer = try await host.send("POST", "/v1/slots/bulk", body: […], as: .doctor)
///         #expect(answer.status == 201)
///     }
@LoopActor package final class TestHost {
    package let database: TestDatabase
    package let service: Service
    package let host: Host
    /// The tenant of every request that names none.
    package let tenant: TenantID
    package let location = LocationID()
    /// What the other services answer to `host.cards.ask`: `"clinical /internal/cards/patients/…"`.
    package let cards: CardOwners
    package let clock: TestClock

    private let pipeline: Pipeline
    private let mint: TokenMint
    private var accounts: [Set<Role>: AccountID] = [:]

    private init(
        _ service: Service, _ host: Host, _ database: TestDatabase, _ cards: CardOwners, _ clock: TestClock,
        key: SigningKey, publicURL: String
    ) throws {
        self.service = service
        self.host = host
        self.database = database
        self.cards = cards
        self.clock = clock
        tenant = database.tenant
        mint = TokenMint(key: key, publicIssuer: publicURL)
        pipeline = try Pipeline(service, on: host)
    }

    /// Runs `body` against a fresh schema with the service's own migrations. `variables` are for the service's
    /// configuration, beside what every process is told.
    package static func with<Config: ServiceConfig, T>(
        _ makeConfig: (Environment) throws -> Config, _ describe: @LoopActor (Config, Host) throws -> Service,
        variables: [String: String] = [:], _ body: @LoopActor (TestHost) async throws -> T
    ) async throws -> T {
        let blank = try makeConfig(Environment(variables, describing: true))
        let migrations = try describe(blank, Host(blank.host)).migrations
        return try await TestDatabase.with(migrations) { database in
            let key = try SigningKey.generate()
            let cards = try CardOwners()
            let files = try SecretFiles(database, key)
            defer { files.remove() }
            let config = try makeConfig(
                Environment(files.variables(database, cards).merging(variables) { _, given in given }))
            let clock = TestClock()
            let host = Host(config.host, now: { clock.now })
            let service = try describe(config, host)
            Messenger.announce(as: service.name)
            try await host.startAndWait()
            let test = try TestHost(service, host, database, cards, clock, key: key, publicURL: config.host.publicURL)
            let result: Result<T, any Error>
            do { result = .success(try await body(test)) } catch { result = .failure(error) }
            host.db.close()
            await cards.close()
            return try result.get()
        }
    }

    // MARK: requests

    package struct Answer: Sendable {
        package let status: Int
        package let headers: [(name: String, value: String)]
        package let bytes: [UInt8]

        /// The body as an object; empty when it is none.
        package var json: JSONObject {
            guard case .object(let object) = try? JSONValue.parse(bytes) else { return JSONObject() }
            return object
        }
        /// The problem's code.
        package var code: String? { try? json.optional("code") }
        /// The pointers of a problem's wrong fields.
        package var pointers: [String] {
            let errors = (try? json.optional("errors", as: [JSONObject].self)) ?? []
            return errors.compactMap { try? $0.required("pointer") }
        }
        package var items: [JSONObject] { (try? json.required("items")) ?? [] }
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
        package var etag: String? { header("ETag") }
    }

    /// A request of somebody with these roles: the same account each time. `path` may carry a query.
    package func send(
        _ method: String, _ path: String, body: JSONObject? = nil, as role: Role? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        let caller = try role.map { try token($0) }
        return await send(method, path, bytes: body?.jsonBytes ?? [], bearer: caller, headers: headers)
    }

    package func send(
        _ method: String, _ path: String, bytes: [UInt8], bearer: String?,
        headers: [(name: String, value: String)] = [], from address: String = ""
    ) async -> Answer {
        var all = headers.map { (name: $0.name.lowercased(), value: $0.value) }
        if let bearer { all.append(("authorization", "Bearer \(bearer)")) }
        if !bytes.isEmpty && !all.contains(where: { $0.name == "content-type" }) {
            all.append(("content-type", "application/json"))
        }
        let parts = path.split(separator: "?", maxSplits: 1)
        let response = await pipeline.answer(
            Request(
                method: method, path: String(parts[0]), headers: all, bytes: bytes,
                queryString: parts.count > 1 ? String(parts[1]) : "", traceparent: Traceparent.fresh(),
                remoteAddress: address))
        var answer: [UInt8] = []
        if case .bytes(let bytes) = response.body { answer = bytes }
        return Answer(status: response.status, headers: response.headers, bytes: answer)
    }

    // MARK: people

    /// The account that `send(as:)` acts as in this role.
    package func account(_ roles: Role...) -> AccountID { account(Set(roles)) }

    private func account(_ roles: Set<Role>) -> AccountID {
        if let known = accounts[roles] { return known }
        let fresh = AccountID()
        accounts[roles] = fresh
        return fresh
    }

    /// A token that the service accepts, for 10 minutes from the test's clock.
    package func token(
        _ roles: Role..., account: AccountID? = nil, tenant: TenantID? = nil, patient: PatientID? = nil,
        zone: String = "Asia/Kolkata", authenticatedAgo: Int64 = 0, actsFor: [PatientID] = [],
        grant: Grant? = nil
    ) throws -> String {
        try mint.sign(
            AccessToken(
                account: account ?? self.account(Set(roles)), tenant: tenant ?? self.tenant, roles: Set(roles),
                session: ID(),
                location: location, zone: zone, currency: .inr, patient: patient, issuedAt: clock.now,
                expiresAt: clock.now.adding(seconds: 600),
                authenticatedAt: clock.now.adding(seconds: -authenticatedAgo), grant: grant, actsFor: actsFor))
    }

    /// Who that token makes of a request, for tests that call stores and functions directly.
    package func principal(_ roles: Role..., tenant: TenantID? = nil, patient: PatientID? = nil) -> Principal {
        Principal(
            account: account(Set(roles)), tenant: tenant ?? self.tenant, roles: Set(roles), session: ID(),
            location: location,
            zone: "Asia/Kolkata", currency: .inr, patient: patient, bearer: "")
    }

    // MARK: events

    /// Lets the service react to another's fact, as its consumer does: one transaction per reaction.
    package func react(to fact: some Event, revision: Int = 1, tenant: TenantID? = nil) async throws {
        let tenant = tenant ?? self.tenant
        let envelope = Envelope(
            id: EventID(), name: type(of: fact).name, tenant: tenant, subject: fact.subject, revision: revision,
            occurredAt: clock.now, actor: nil, traceparent: Traceparent.fresh())
        guard case .object(let data) = try JSONValue.parse(fact.jsonBytes) else { return }
        for reaction in service.reactions where reaction.event == envelope.name {
            try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                try await reaction.run([(data, envelope)], tx)
            }
        }
    }

    /// What was announced so far, in order, without audit entries.
    package func announced() async throws -> [(type: String, data: JSONObject)] {
        try await outbox().filter { !$0.type.hasPrefix("audit.") }
    }

    /// The audit entries of changes and refusals so far, in order.
    package func audited() async throws -> [JSONObject] {
        try await trail().filter { (try? $0.optional("at", as: Timestamp.self)) == nil || $0["allowed"] == .bool(false) }
    }

    /// The audit entries of what was read, in order.
    package func auditedReads() async throws -> [JSONObject] {
        try await trail().filter { (try? $0.optional("at", as: Timestamp.self)) != nil && $0["allowed"] == .bool(true) }
    }

    private func trail() async throws -> [JSONObject] {
        try await outbox().flatMap { row -> [JSONObject] in
            switch row.type {
            case "audit.entry.recorded.v1": [row.data]
            case "audit.access.recorded.v1":
                try row.data.required("entries", as: [JSONObject].self).map { entry in
                    var whole = entry
                    whole["service"] = row.data["service"]
                    return whole
                }
            default: []
            }
        }
    }

    private func outbox() async throws -> [(type: String, data: JSONObject)] {
        let rows = try await host.db.systemReader.all(
            "select type, data::text from outbox order by seq limit 10000",
            as: { row in (type: try row.next(as: String.self), data: try row.next(as: String.self)) })
        return try rows.map { row in
            guard case .object(let data) = try JSONValue.parse(Array(row.data.utf8)) else {
                throw JSONError.malformed(reason: "outbox data is no object", offset: 0)
            }
            return (row.type, data)
        }
    }
}

/// The time as the service under test sees it; it stands still until a test moves it.
package final class TestClock: @unchecked Sendable {
    // Touched on the loop only.
    package var now = Timestamp.now()
    package init() {}
    package func advance(seconds: Int64) { now = now.adding(seconds: seconds) }
}
