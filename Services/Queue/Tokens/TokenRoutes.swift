import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Calling the next patient, and what else happens to a token.
@LoopActor
struct TokenRoutes {
    let host: Host
    let boards: Boards

    var table: [Route] {
        [
            .post(
                "/v1/queue/next", for: .callNext,
                .init(
                    "Call the next patient",
                    body: .object([.optional("providerId", .id, "yourself by default")]),
                    answers: [(200, TokenView.schema), (204, nil)],
                    problems: ["already_serving", "provider_unknown", "provider_unlicensed"]), next),
            .get(
                "/v1/queue/tokens/:id", for: .readQueue,
                .init("Read a token", answers: [(200, TokenView.schema)]), show),
            .patch(
                "/v1/queue/:id", for: .changeTokens,
                .init(
                    "Change a token's status",
                    body: .object([.required("status", .choice(Token.Status.allCases.map(\.rawValue)))]),
                    answers: [(200, TokenView.schema)], problems: ["transition_refused", "already_serving", "provider_inactive", "provider_unlicensed"],
                    isMergePatch: true), change),
        ]
    }

    private func next(_ request: Request, by caller: Principal) async throws -> Response {
        let asked = try request.body.optional("providerId", as: ProviderID.self)
        let now = host.now()
        let today = caller.today(at: now)
        let own = try await Cards(host: host, caller: caller).ownProvider(callingOn: today)
        // A doctor calls for nobody else; another's queue is not theirs to move.
        guard asked.map({ $0 == own }) ?? true else { throw Problem.forbidden }

        var changed: Set<LocationID> = []
        let response = try await host.write(request, by: caller) { tx in
            changed = []
            let store = TokenStore(sql: tx, scope: caller.deskScope)
            // One call at a time for one practitioner: then "nobody waits" is true when it is said.
            try await CardStore(sql: tx).lockProvider(own)
            let isBack = try await comeBack(own, at: now, tx)
            var called = try await store.callNext(of: own, on: today, at: now)
            if called == nil {
                guard try await !store.isServing(own, on: today) else { throw TokenError.alreadyServing }
                // Whoever was with the doctor may have been closed between the two looks: then somebody may wait.
                called = try await store.callNext(of: own, on: today, at: now)
            }
            if isBack { changed = Set(try await store.touchBoards(of: own, on: today)) }
            guard let token = called else { return .noContent }
            changed.insert(token.location)
            try tx.announce(token.called(at: now), revision: token.version)
            try tx.audit("call", "token", token.id.description, of: token.patient, before: nil, after: token.trace)
            return .json(200, TokenView(token: token), version: token.version)
        }
        for location in changed { boards.changed(Board.Key(tenant: caller.tenant, location: location, date: today)) }
        return response
    }

    /// Who calls is there, whatever was said before. Whether anything changed by that.
    ///
    /// Before the call, because whoever says that they are there locks in this order too: presence, then the day's row.
    private func comeBack(_ own: ProviderID, at now: Timestamp, _ tx: Transaction) async throws -> Bool {
        let store = PresenceStore(sql: tx)
        guard let said = try await store.find(own), said.status(at: now) != .online,
            let presence = try await store.set(.online, until: nil, room: nil, of: own)
        else { return false }
        try tx.announce(presence.changed, revision: presence.version)
        try tx.audit(
            "update", "presence", own.description, before: JSONObject([("status", .string(said.status.rawValue))]),
            after: JSONObject([("status", .string(presence.status.rawValue))]))
        return true
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: TokenKind.self)
        guard let token = try await TokenStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope).find(id)
        else { throw Problem.notFound("token") }
        caller.trail?.read("token", id.description, of: token.patient, on: caller.ground)
        return .json(200, TokenView(token: token), version: token.version)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: TokenKind.self)
        let word = try request.body.required("status", as: String.self)
        guard let status = Token.Status(rawValue: word) else { throw Problem.internalError }
        // The state diagram protects a token better than a version could, so If-Match is honoured, not demanded.
        let version = request.header("if-match") == nil ? nil : try request.ifMatch()

        if status == .withDoctor { try await requireLicensed(id, caller) }

        var changed: Token?
        let response = try await host.write(request, by: caller) { tx in
            changed = nil
            let store = TokenStore(sql: tx, scope: caller.deskScope)
            guard var token = try await store.findForUpdate(id) else { throw Problem.notFound("token") }
            guard version.map({ $0 == token.version }) ?? true else { throw Problem.staleVersion }
            let before = token
            if let fact = try token.change(to: status, at: host.now()) {
                try await store.update(token)
                try tx.announce(fact, revision: token.version)
                try tx.audit(
                    "change", "token", id.description, of: token.patient, before: before.trace, after: token.trace)
                changed = token
            } else {
                // Nothing changed, and yet the answer that is kept tells of somebody.
                tx.concerns(token.patient)
                caller.trail?.read("token", id.description, of: token.patient, on: caller.ground)
            }
            return .json(200, TokenView(token: token), version: token.version)
        }
        if let changed { boards.changed(Board.Key(changed, in: caller.tenant)) }
        return response
    }
}

extension TokenRoutes {
    /// Nobody is sent in by hand either to somebody without a licence. What a token's practitioner is does not change.
    private func requireLicensed(_ id: TokenID, _ caller: Principal) async throws {
        let store = TokenStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope)
        guard let token = try await store.find(id) else { throw Problem.notFound("token") }
        try await Cards(host: host, caller: caller).requireWorking(token.provider, on: token.localDate)
    }
}

/// The one place where a token's refusals become HTTP.
extension TokenError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .alreadyCheckedIn: .conflict("already_checked_in", "This appointment has its token.")
        case .alreadyWaiting: .conflict("already_waiting", "The patient has a token for this practitioner today.")
        case .alreadyServing:
            .conflict("already_serving", "A patient is with the doctor. Complete or skip that token first.")
        case .notToday: .refused("not_today", "The appointment is on another day.")
        case .appointmentRequested:
            .refused("appointment_requested", "The practitioner has not accepted this request. Accept it first.")
        case .appointmentCancelled: .refused("appointment_cancelled", "The appointment was cancelled.")
        case .appointmentFulfilled: .refused("appointment_fulfilled", "The visit of this appointment is over.")
        case .appointmentUnknown: .refused("appointment_unknown", "There is no such appointment.")
        case .patientUnknown: .refused("patient_unknown", "There is no such patient.")
        case .patientInactive: .refused("patient_inactive", "The patient's record is closed.")
        case .providerUnknown: .refused("provider_unknown", "There is no such practitioner.")
        case .providerInactive: .refused("provider_inactive", "This practitioner no longer works here.")
        case .providerUnlicensed:
            .refused(
                "provider_unlicensed",
                "This practitioner's licence was not verified, or is no longer good. An administrator verifies it first.")
        case .providerOffline:
            .conflict(
                "provider_offline",
                "This practitioner is offline. Choose another, or repeat with force when the patient is to wait all the same.")
        case .locationUnknown: .refused("location_unknown", "There is no such location.")
        case .transitionRefused(let from, let to):
            .conflict("transition_refused", "A token cannot go from \(from.rawValue) to \(to.rawValue).")
        }
    }
}
