import Access
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

extension Host {
    /// Commits what the request read, before its answer leaves: without the entry there is no answer.
    func keepTrail(of caller: Principal, _ request: Request, before response: Response) async throws {
        guard let trail = caller.trail else { return }
        if request.method != "GET" && request.method != "HEAD" {
            // A change leaves its entry with itself; one that changed nothing but answers with a record has read it.
            if trail.isAudited || response.isEmpty { return }
        }
        // Somebody's sealed record was opened and nobody said whose: that must not become an answer.
        guard trail.isWhole else { throw UntoldRead() }
        guard !trail.entries.isEmpty else { return }
        let now = now()
        let entries = trail.entries.map { entry in
            AccessLog.Entry(
                entry.action, entry.resource, entry.resourceID, of: entry.patient, allowed: true, after: entry.after,
                cause: cause(of: caller, request, entry.purpose ?? caller.purpose), at: now)
        }
        try await access.record(entries)
    }

    /// Leaves the audit entry of a refusal, before the answer.
    /// When that cannot be written the answer is a refusal all the same: it is logged and counted instead.
    func recordDenial(of caller: Principal, _ request: Request, pattern: String) async {
        // Only an identifier is repeated: any other text in a path is the client's own.
        let subject =
            request.parameters.lazy.compactMap { ID<Tenant>($0.value)?.description }.first
            ?? caller.account.description
        do {
            // Nobody waits seconds for a database that is known to be away only to hear 403.
            guard db.isReady else { throw PostgresError(.unavailable) }
            try await access.record([
                AccessLog.Entry(
                    "\(request.method) \(pattern)", "route", subject,
                    of: caller.trail?.refused ?? patient(in: request, pattern), allowed: false,
                    after: nil, cause: cause(of: caller, request, caller.purpose), at: now())
            ])
        } catch {
            requests.recordLostDenial()
            log.write(.error, "audit entry of a refusal lost", ("traceId", request.traceID))
        }
    }

    /// A path under a patient's names whose record it is about; so do `patientId` in a body and in a query.
    private func patient(in request: Request, _ pattern: String) -> PatientID? {
        if pattern.hasPrefix("/v1/patients/:id") || pattern.hasPrefix("/internal/export/patients/:id") {
            return request.parameters.first { $0.name == "id" }.flatMap { PatientID($0.value) }
        }
        if case .string(let text)? = request.body["patientId"] { return PatientID(text) }
        return (try? request.query.optional("patientId", as: String.self)).flatMap { PatientID($0) }
    }

    private func cause(of caller: Principal, _ request: Request, _ purpose: Purpose) -> Cause {
        Cause(
            tenant: caller.tenant, actor: caller.account, role: caller.mainRole.rawValue,
            traceparent: request.traceparent, purpose: purpose.rawValue)
    }

    /// A handler unsealed records and left no word of which.
    private struct UntoldRead: Error {}
}

extension Route {
    /// The answer without the fields that `caller` is not answered, by the schema that documents it.
    func limited(_ response: Response, to caller: Principal) throws -> Response {
        guard case .bytes(let bytes) = response.body, !bytes.isEmpty,
            let schema = docs.answers.first(where: { $0.status == response.status })?.schema, schema.isLimited
        else { return response }
        let roles = Set(caller.acting.map(\.rawValue))
        guard schema.hides(from: roles) else { return response }
        let value = try JSONValue.parse(bytes)
        var limited = response
        limited.body = .bytes(schema.visible(value, to: roles).jsonBytes)
        return limited
    }
}

extension Response {
    /// Whether it tells nothing beyond its status.
    fileprivate var isEmpty: Bool {
        guard case .bytes(let bytes) = body else { return false }
        return bytes.isEmpty
    }
}
