import Access
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// One `Idempotency-Key` of one caller: claimed, replayed and stored inside the transaction of the change itself,
/// so a crash at any moment leaves either both the change and its answer, or neither.
package struct IdempotentRequest {
    let key: String
    let caller: Principal
    /// SHA-256 of what was asked. Another request under the same key is a mistake of the client.
    let hash: [UInt8]
    private let seal: AnswerSeal
    private let lock: Int64

    /// Nil when the request has no key. A key that is empty, too long or not visible ASCII is a 400.
    init?(_ request: Request, by caller: Principal, in schema: String, seal master: RotatingKeys) throws(Problem) {
        guard let key = request.header("idempotency-key") else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Problem(
                400, "invalid_idempotency_key", "Send 1 to 255 visible ASCII characters as Idempotency-Key.")
        }
        self.key = key
        self.caller = caller
        seal = AnswerSeal(master: master, schema: schema, tenant: caller.tenant)
        var asked = Array("\(request.method)|\(request.path)?\(request.queryString)|".utf8)
        asked += JSONValue.object(request.body).canonical.jsonBytes
        hash = SHA256.digest(asked)
        // Advisory locks are shared by all schemas of the database, so the name says whose key it is.
        let name = "\(schema)|\(caller.tenant)|\(caller.account)|\(key)"
        lock = SHA256.digest(Array(name.utf8)).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Queues the claim: it travels in front of the first statement of the change. When the key is not unused the database runs
    /// nothing of what follows, and the transaction fails with an error that `isAboutKey`. As a trip of its own it was 90 of
    /// a booking's 880 µs (docs/benchmarks-findings.md).
    @LoopActor func claim(_ tx: Transaction) {
        tx.later(
            """
            select (not exists (select from idempotency where account_id = \(caller.account) and key = \(key))
                    and pg_try_advisory_xact_lock(\(lock)))::idempotency_key_unused
            """)
    }

    /// Claims the keys of many, in a trip of its own: which of them were unused. One that was used is nothing that the others should
    /// suffer for: people repeat most when there is a crowd. Who has no key has nothing to claim.
    @LoopActor static func claim(_ claims: [IdempotentRequest?], in tx: Transaction) async throws -> [Bool] {
        var unused = claims.map { _ in true }
        let asked = claims.indices.compactMap { place in claims[place].map { (place: place, claim: $0) } }
        guard !asked.isEmpty else { return unused }
        let answers = try await tx.all(
            """
            select not exists (select from idempotency where account_id = asked.account_id and key = asked.key)
                   and pg_try_advisory_xact_lock(asked.lock)
            from unnest(\(asked.map(\.claim.caller.account))::uuid[], \(asked.map(\.claim.key))::text[], \(asked.map(\.claim.lock))::bigint[])
                 with ordinality as asked (account_id, key, lock, place)
            order by place
            """) { row in try row.next(as: Bool.self) }
        for (asked, answer) in zip(asked, answers) { unused[asked.place] = answer }
        return unused
    }

    /// The stored answer as of now, outside of any transaction.
    @LoopActor func answer(_ sql: any SQLSession) async throws -> StoredAnswer? {
        let found = try await sql.first(
            "select request_hash, answer from idempotency where account_id = \(caller.account) and key = \(key)",
            as: { row in (hash: try row.next(as: Bytes.self), answer: try row.next(as: Bytes.self)) })
        return try found.map { try replay($0.hash, $0.answer) }
    }

    private func replay(_ hash: Bytes, _ answer: Bytes) throws -> StoredAnswer {
        guard hash.array == self.hash else {
            throw Problem.refused(
                "idempotency_key_reused", "This Idempotency-Key was used for another request. Take a new one.")
        }
        guard !answer.array.isEmpty else { throw Self.gone }
        return try open(answer.array)
    }

    /// An answer as it is kept under the key.
    struct Kept {
        let account: AccountID
        let key: String
        let hash: [UInt8]
        let answer: [UInt8]
        let patient: PatientID?
    }

    /// The answer to be kept, sealed; nil of one that is not bytes.
    func keep(_ response: Response, about subjects: [StoredAnswer.Subject], of patient: PatientID?) throws -> Kept? {
        guard case .bytes(let body) = response.body else { return nil }
        // What tells nothing beyond its status is nobody's record.
        let stored = StoredAnswer(response: response, subjects: body.isEmpty ? [] : subjects)
        return Kept(
            account: caller.account, key: key, hash: hash, answer: try seal.close(stored.encode(body), context), patient: patient)
    }

    /// Queues the answers: they travel with the commit. Between our look and our lock another request may have
    /// committed; then the primary key refuses this row and the whole transaction with it, and `write` looks again. If
    /// what that one did made us refuse, `write` looks again before it says so.
    @LoopActor static func store(_ answers: [Kept], in tx: Transaction) {
        guard !answers.isEmpty else { return }
        tx.later(
            """
            insert into idempotency (account_id, key, request_hash, answer, patient_id)
            select * from unnest(\(answers.map(\.account))::uuid[], \(answers.map(\.key))::text[],
                                 \(answers.map { Bytes($0.hash) })::bytea[], \(answers.map { Bytes($0.answer) })::bytea[],
                                 \(SQLArray(answers.map(\.patient)))::uuid[])
            """)
    }

    private func open(_ answer: [UInt8]) throws -> StoredAnswer {
        guard let plain = try? seal.open(answer, context) else { throw Self.gone }
        guard var stored = StoredAnswer.decode(plain) else {
            throw JSONError.malformed(reason: "a stored answer does not read", offset: 0)
        }
        stored.response.headers.append(("Idempotent-Replayed", "true"))
        return stored
    }

    private var context: [UInt8] { Array("\(caller.tenant)|\(caller.account)|idempotency|\(key)".utf8) }

    static let inProgress: Problem = {
        var problem = Problem(
            409, "request_in_progress", "The first request with this Idempotency-Key is still running.")
        problem.headers = [("Retry-After", "1")]
        return problem
    }()

    /// The answer told of somebody who was erased since, or its key was taken out of use.
    static let gone = Problem(
        409, "answer_gone", "This request was done before. What it was answered is not kept any more.")

    /// Empties the answers that tell of an erased patient. Their rows stay: the same request is not done again.
    @LoopActor package static func forget(_ patient: PatientID, _ tx: Transaction) async throws {
        try await tx.run("update idempotency set answer = '' where patient_id = \(patient)")
    }
}

/// What stored answers are sealed with: a key of each tenant in each service, so that none seals too many.
private struct AnswerSeal {
    let master: RotatingKeys
    let schema: String
    let tenant: TenantID

    private var use: String { "idempotency|\(schema)|\(tenant)" }

    func close(_ plain: [UInt8], _ context: [UInt8]) throws -> [UInt8] {
        try Sealed.seal(plain, keys: master.keys(for: use), context: context)
    }

    /// Answers of the release before were all under one key; two days after it none is left.
    func open(_ box: [UInt8], _ context: [UInt8]) throws -> [UInt8] {
        if let plain = try? Sealed.open(box, keys: master.keys(for: use), context: context) { return plain }
        return try Sealed.open(box, keys: master.keys(for: "idempotency"), context: context)
    }
}

/// A response as bytes: its status and whom it is about, its headers line by line, an empty line, its body.
struct StoredAnswer {
    /// A record of a patient that the answer tells of.
    struct Subject: Equatable {
        let resource: String
        let id: String
        let patient: PatientID
    }

    var response: Response
    var subjects: [Subject] = []

    func encode(_ body: [UInt8]) -> [UInt8] {
        var head = "\(response.status)"
        for subject in subjects { head += " \(subject.resource)/\(subject.id)/\(subject.patient)" }
        head += "\n"
        for header in response.headers { head += "\(header.name): \(header.value)\n" }
        return Array((head + "\n").utf8) + body
    }

    static func decode(_ bytes: [UInt8]) -> StoredAnswer? {
        var rest = bytes[...]
        func line() -> String? {
            guard let end = rest.firstIndex(of: 0x0a) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard let words = line()?.split(separator: " "), let status = words.first.flatMap({ Int($0) }) else { return nil }
        var subjects: [Subject] = []
        for word in words.dropFirst() {
            let parts = word.split(separator: "/")
            guard parts.count == 3, let patient = PatientID(String(parts[2])) else { return nil }
            subjects.append(Subject(resource: String(parts[0]), id: String(parts[1]), patient: patient))
        }
        var headers: [(name: String, value: String)] = []
        while let header = line() {
            if header.isEmpty {
                return StoredAnswer(
                    response: Response(status, headers: headers, body: .bytes(Array(rest))), subjects: subjects)
            }
            guard let colon = header.firstIndex(of: ":") else { return nil }
            headers.append((String(header[..<colon]), String(header[colon...].dropFirst(2))))
        }
        return nil
    }
}

extension PostgresError {
    /// The claim found an answer or somebody who is still at it; or the first request committed between its look and its lock.
    var isAboutKey: Bool { constraint == "idempotency_key_in_use" || constraint == "idempotency_key_once" }
}

extension JSONValue {
    /// The same document with the members of every object in one order, so that equal requests have equal bytes.
    var canonical: JSONValue {
        switch self {
        case .object(let object):
            .object(JSONObject(object.members.map { ($0.name, $0.value.canonical) }.sorted { $0.0 < $1.0 }))
        case .array(let values): .array(values.map(\.canonical))
        default: self
        }
    }
}
