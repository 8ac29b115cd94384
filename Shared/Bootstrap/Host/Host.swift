import Access
import Cryptography
import Glibc
import HTTP
import Loop
import Messaging
import Postgres
import Primitives
import Redis

/// What the process hands to a service: its way to servers, time and other services.
///
/// Making one connects to nothing, so `describe` can be called wherever there is a configuration.
@LoopActor package final class Host {
    package nonisolated let config: HostConfig
    package nonisolated let db: Database
    package nonisolated let redis: RedisClient
    package nonisolated let now: @Sendable () -> Timestamp
    package nonisolated let cards: Cards
    /// As many threads as cores, up to 8, for work that blocks or burns: more at once would only make each slower.
    package nonisolated let blocking: BlockingPool
    package nonisolated let log: Log

    package nonisolated let verifier: TokenVerifier
    /// Whose tokens are void; auth moves the line in the same instant that it commits it.
    package nonisolated let revocations: Revocations
    package nonisolated let publishedKeys: PublishedKeys
    /// From whose pages browsers may read what we answer.
    package nonisolated let origins: AllowedOrigins
    /// Tenants' keys, for what is personal.
    package nonisolated let keys: TenantKeyRings
    /// What was read and refused, on its way to the audit trail.
    package nonisolated let access: AccessLog
    var requests = RequestMetrics([])
    /// Figures of the service's own, for `/metrics`: set by its workers.
    package var gauges: [String: Gauge] = [:]
    /// Whether somebody may still be answered what they were answered about a patient before: a service whose records
    /// open and close sets it. Elsewhere staff may, and a patient's own account for those it acts for.
    package var isStillOpen: @LoopActor (PatientID, Principal, any SQLSession) async throws -> Bool = { patient, caller, _ in
        !caller.isOnlyPatient || caller.ownPatients.contains(patient)
    }
    /// Whether it is known whose tokens are void: before that no token is trusted.
    var hasRevocations = false

    package nonisolated init(
        _ config: HostConfig, now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }, log: Log? = nil
    ) {
        self.config = config
        self.now = now
        let log = log ?? Log(service: config.service, level: config.logLevel)
        self.log = log
        db = Database(config.postgres)
        let redisPassword = config.redis.password
        redis = RedisClient(
            host: config.redis.host, port: config.redis.port, password: redisPassword?.text,
            passwordNow: { redisPassword?.current ?? "" })
        access = AccessLog(db)
        cards = Cards(services: config.services, log: log)
        // Half of the cores: hashing passwords on all of them doubled what a read took meanwhile (`edges attack`, on two cores: p50 up to 2.1
        // times that of a quiet hour, at any niceness; 0.9 to 1.5 now), for a third more hashes a second.
        blocking = BlockingPool(threads: min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2), 8), limit: 64, yields: true)
        revocations = Revocations()
        verifier = TokenVerifier(
            keys: config.publicKeys, revocations: revocations, service: config.service, publicIssuer: config.publicURL)
        publishedKeys = PublishedKeys(file: config.publicKeysFile, verifier: verifier, log: log)
        origins = AllowedOrigins(services: config.services, log: log)
        keys = TenantKeyRings(db: db, master: config.masterKeys, service: config.service)
    }

    package struct Gauge: Sendable {
        let help: String
        package let value: Double
        package init(help: String, value: Double) {
            self.help = help
            self.value = value
        }
    }

    /// Starts connecting to everything; returns at once.
    package func start() {
        publishedKeys.start()
        db.start()
        redis.start()
    }

    /// Connected, and aware of whose tokens are void: what a test waits for, as `serve` does through readiness.
    package func startAndWait() async throws {
        start()
        try await waitForDatabase()
        try await RevokedAccounts(self).load()
    }

    /// For commands, which have nothing to do before the database answers.
    func waitForDatabase() async throws {
        for _ in 0..<200 where !db.isReady { try await EventLoop.sleep(for: .milliseconds(50)) }
        guard db.isReady else { throw db.lastFailure ?? PostgresError(.unavailable) }
    }

    /// A transaction of a worker or a command: on behalf of no caller, for one tenant.
    package func transaction<T>(
        for tenant: TenantID, as cause: Cause, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T {
        try await db.transaction(for: tenant) { tx in
            tx.context = cause
            return try await body(tx)
        }
    }

    /// The one shape of a handler that changes something.
    ///
    /// Opens a transaction for the caller's tenant, claims the `Idempotency-Key` (if the request has one) inside it,
    /// runs `body`, stores the answer under the key, commits. The same key and body replays the stored answer; another
    /// body is 422 `idempotency_key_reused`; still running is 409 `request_in_progress`. Answers of status 400 and
    /// above roll back and are not stored.
    package func write(
        _ request: Request, by caller: Principal, _ body: @LoopActor (Transaction) async throws -> Response
    ) async throws -> Response {
        let claim = try claim(request, by: caller)
        do {
            do {
                return try await attempt(request, by: caller, claim, body)
            } catch let error as PostgresError where claim != nil && error.isUnknownOutcome {
                // The key says whether it was kept.
                return try await attempt(request, by: caller, claim, body)
            }
        } catch {
            let fault = error as? PostgresError
            // Who used the key is asked only now. What refused us may be what the first request with it did after our claim.
            if let claim, fault?.isAboutKey ?? true, let stored = try await claim.answer(db.reader(for: caller.tenant)) {
                return try await replay(stored, to: caller)
            }
            if fault?.isAboutKey == true { throw IdempotentRequest.inProgress }
            if let refused = error as? NotKept { return refused.response }
            throw error
        }
    }

    /// `write` for what many may want at the same moment: made with those of others who come while a transaction is under way,
    /// and answered for each as `write` does, by `answer`. Nil where it could not be made without waiting for somebody or refusing
    /// somebody: then nothing was done, and `write` is asked, which does and says what is to be done and said.
    package func write<Wish, Made>(
        _ request: Request, by caller: Principal, among others: Gathering<Wish, Made>, _ wish: Wish,
        _ answer: @escaping @LoopActor (Made, Transaction) async throws -> Response
    ) async throws -> Response? {
        let claim = try claim(request, by: caller)
        let cause = cause(of: request, by: caller)
        let answered = try await others.join(wish, claim, for: caller.tenant) { made, tx in
            tx.act(as: cause)
            return try await self.part(of: caller, claim, in: tx) { try await answer(made, $0) }
        }
        if answered?.isAudited == true { caller.trail?.leftEntry() }
        return answered?.response
    }

    /// A response that must not be kept: thrown so that the transaction rolls back.
    private struct NotKept: Error { let response: Response }

    private func attempt(
        _ request: Request, by caller: Principal, _ claim: IdempotentRequest?,
        _ body: @LoopActor (Transaction) async throws -> Response
    ) async throws -> Response {
        let done = try await transaction(for: caller.tenant, as: cause(of: request, by: caller)) { tx in
            claim?.claim(tx)
            let part = try await part(of: caller, claim, in: tx, body)
            if let kept = part.kept { IdempotentRequest.store([kept], in: tx) }
            return part
        }
        if done.isAudited { caller.trail?.leftEntry() }
        return done.response
    }

    /// What one request did in a transaction.
    struct Part {
        let response: Response
        /// Its answer, to be kept under its key.
        let kept: IdempotentRequest.Kept?
        let isAudited: Bool
    }

    private func part(
        of caller: Principal, _ claim: IdempotentRequest?, in tx: Transaction,
        _ body: @LoopActor (Transaction) async throws -> Response
    ) async throws -> Part {
        let response = try await body(tx)
        guard response.status < 400 else { throw NotKept(response: response) }
        return Part(
            response: response, kept: try claim?.keep(response, about: subjects(of: tx, caller), of: tx.patient),
            isAudited: !tx.audited.isEmpty)
    }

    private func claim(_ request: Request, by caller: Principal) throws(Problem) -> IdempotentRequest? {
        try IdempotentRequest(request, by: caller, in: config.postgres.schema, seal: config.masterKeys)
    }

    private func cause(of request: Request, by caller: Principal) -> Cause {
        Cause(
            tenant: caller.tenant, actor: caller.account, role: caller.mainRole.rawValue,
            traceparent: request.traceparent, purpose: caller.purpose.rawValue)
    }

    /// Whom an answer is about: by the entries of the change, or, where nothing changed, by what was read.
    private func subjects(of tx: Transaction, _ caller: Principal) -> [StoredAnswer.Subject] {
        let changed = tx.audited.compactMap { entry in
            entry.patient.map { StoredAnswer.Subject(resource: entry.resource, id: entry.id, patient: $0) }
        }
        if !changed.isEmpty { return changed }
        return (caller.trail?.entries ?? []).compactMap { entry in
            entry.patient.map { StoredAnswer.Subject(resource: entry.resource, id: entry.resourceID, patient: $0) }
        }
    }

    /// The stored answer once more. Who hears of a patient again reads it again: under the right of today, and told.
    private func replay(_ stored: StoredAnswer, to caller: Principal) async throws -> Response {
        for subject in stored.subjects {
            guard try await isStillOpen(subject.patient, caller, db.reader(for: caller.tenant)) else {
                caller.trail?.refuse(subject.patient)
                throw Problem.forbidden
            }
            caller.trail?.read(subject.resource, subject.id, of: subject.patient, on: "replay")
        }
        return stored.response
    }
}
