import Access
import HTTP
import Loop
import Messaging
import Postgres
import Primitives

extension Host {
    /// Leaves the audit entry of a 403 in a small transaction of its own, before the answer.
    /// When that cannot be written the answer is 403 all the same: it is logged and counted instead.
    func recordDenial(of caller: Principal, _ request: Request, pattern: String) async {
        let cause = Cause(
            tenant: caller.tenant, actor: caller.account, role: caller.mainRole.rawValue,
            traceparent: request.traceparent)
        // Only an identifier is repeated: any other text in a path is the client's own.
        let subject =
            request.parameters.lazy.compactMap { ID<Tenant>($0.value)?.description }.first
            ?? caller.account.description
        do {
            // Nobody waits seconds for a database that is known to be away only to hear 403.
            guard db.isReady else { throw PostgresError(.unavailable) }
            try await Audit.denied("\(request.method) \(pattern)", "route", subject, cause: cause, in: db)
        } catch {
            requests.recordLostDenial()
            log.write(.error, "audit entry of a refusal lost", ("traceId", request.traceID))
        }
    }
}
