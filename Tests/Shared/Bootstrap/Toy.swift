import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport

/// A small service with one of everything that the framework decides about.
enum Toy {
    @LoopActor static func describe(_ config: ToyConfig, _ host: Host) -> Service {
        Service(
            name: "toy", migrations: [Migration("0001_thing", Array(schema.utf8))],
            routes: ToyRoutes(host: host).table,
            announces: [ThingMade.self])
    }

    @LoopActor static func with<T>(
        _ variables: [String: String] = [:], _ body: @LoopActor (TestHost) async throws -> T
    ) async throws -> T {
        try await TestHost.with(ToyConfig.init(environment:), describe, variables: variables, body)
    }

    private static let schema = """
        create table thing (
            id uuid primary key,
            tenant_id uuid not null default current_setting('app.tenant')::uuid,
            name text not null,
            constraint thing_name_once unique (tenant_id, name)
        );
        alter table thing enable row level security;
        alter table thing force row level security;
        create policy thing_tenant on thing using (tenant_id = current_setting('app.tenant')::uuid)
            with check (tenant_id = current_setting('app.tenant')::uuid);
        grant select, insert on thing to :service_role;
        """
}

struct ToyConfig: ServiceConfig {
    let host: HostConfig
    let limit: Int

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "toy")
        limit = read.int("TOY_LIMIT", default: 5, in: 1...10)
        try read.finish()
    }
}

struct ThingMade: Event {
    static let name: EventName = "toy.thing.made.v1"
    let id: String
    init(id: String) { self.id = id }
    init(data: JSONObject) throws { id = try data.required("id") }
    func write(to json: inout JSONWriter) { json.object { $0.field("id", id) } }
    var subject: String { id }
}

enum ToyError: Error, ProblemConvertible {
    case taken
    case unlucky
    var problem: Problem {
        switch self {
        case .taken: .conflict("name_taken", "Take another name.")
        case .unlucky: .refused("unlucky", "Not today.")
        }
    }
}

/// An error whose description must never be seen by a client.
struct Secretive: Error, CustomStringConvertible { let description = "patient Jane Roe has been seen" }

@LoopActor final class ToyRoutes {
    let host: Host
    private let others: Gathering<String, ID<Tenant>>

    /// Names that somebody has are not made.
    init(host: Host) {
        self.host = host
        others = Gathering(host) { names, tx in
            if names.contains(where: { $0.hasPrefix("held") }) { try await Hold.wait(tx.tenant()) }
            var made = try await tx.all(
                """
                insert into thing (id, name) select gen_random_uuid(), name from unnest(\(names)::text[]) as wish (name) order by name
                on conflict do nothing returning name, id
                """) { row in (try row.next(as: String.self), try row.next(as: ID<Tenant>.self)) }
            return names.map { name in made.firstIndex { $0.0 == name }.map { made.remove(at: $0).1 } }
        }
    }

    var table: [Route] {
        let name = Schema.Field.required("name", .text(max: 40))
        return [
            .anyone("GET", "/v1/hello", Route.Docs("Say hello")) { _ in .json(200, ["hello": "world"] as JSONObject)
            },
            .get(
                "/v1/things", for: .signedIn,
                Route.Docs(
                    "Count things",
                    query: [.optional("limit", .integer(1...100)), .required("kind", .choice(["a", "b"]))])
            ) {
                request, _ in .json(200, request.query)
            },
            .get("/v1/things/:id", for: .signedIn, Route.Docs("Show a thing")) { request, _ in
                .json(200, ["id": .string(try request.id("id", of: Tenant.self).description)] as JSONObject)
            },
            .post(
                "/v1/things", for: .dispense,
                Route.Docs(
                    "Make a thing", body: .object([name, .optional("count", .integer(1...3))]), answers: [(201, nil)],
                    problems: ["name_taken"]), make),
            .post(
                "/v1/things/together", for: .dispense,
                Route.Docs(
                    "Make a thing with others", body: .object([name]), answers: [(201, nil)], problems: ["name_taken"]), makeTogether),
            .patch(
                "/v1/things/:id", for: .dispense,
                Route.Docs("Change a thing", body: .object([name]), isMergePatch: true)
            ) { request, _ in
                _ = try request.ifMatch()
                return .noContent
            },
            .post("/v1/failures/:kind", for: .signedIn, Route.Docs("Fail", answers: [(204, nil)]), fail),
            .get("/v1/cards/:id", for: .signedIn, Route.Docs("Ask for a card")) { request, caller in
                let id = try request.id("id", of: Tenant.self)
                guard
                    let card = try await self.host.cards.ask("clinical", "/internal/cards/patients/\(id)", as: caller)
                else {
                    throw Problem.refused("patient_unknown", "There is no such patient.")
                }
                return .json(200, card)
            },
        ]
    }

    /// `slow` holds the transaction for a moment, `held` until the test lets it go, `unlucky` fails after writing, `odd` answers 422 without throwing.
    private func make(_ request: Request, by caller: Principal) async throws -> Response {
        let name: String = try request.body.required("name")
        return try await alone(name, request, by: caller)
    }

    private func makeTogether(_ request: Request, by caller: Principal) async throws -> Response {
        let name: String = try request.body.required("name")
        let made = try await host.write(request, by: caller, among: others, name) { id, tx in try self.announce(id, named: name, tx) }
        if let made { return made }
        return try await alone(name, request, by: caller)
    }

    private func alone(_ name: String, _ request: Request, by caller: Principal) async throws -> Response {
        try await host.write(request, by: caller) { tx in
            let id = ID<Tenant>()
            _ = try await onConstraint("thing_name_once", throw: ToyError.taken) {
                try await tx.run("insert into thing (id, name) values (\(id), \(name))")
            }
            if name.hasPrefix("slow") { try await EventLoop.sleep(for: .milliseconds(300)) }
            if name.hasPrefix("held") { try await Hold.wait(caller.tenant) }
            return try self.announce(id, named: name, tx)
        }
    }

    private func announce(_ id: ID<Tenant>, named name: String, _ tx: Transaction) throws -> Response {
        if name.hasPrefix("unlucky") { throw ToyError.unlucky }
        if name.hasPrefix("odd") { return Response(422) }
        try tx.announce(ThingMade(id: id.description), revision: 1)
        try tx.audit("make", "thing", id.description)
        return .created(
            ["id": .string(id.description), "name": .string(name)] as JSONObject, version: 1, at: "/v1/things/\(id)")
    }

    private func fail(_ request: Request, by caller: Principal) async throws -> Response {
        switch request.parameters.first?.value {
        case "secret": throw Secretive()
        case "sql": try await host.db.reader(for: caller.tenant).run("select * from nowhere_at_all")
        case "unavailable": throw PostgresError(.unavailable, message: "10.0.0.1 refused")
        case "money": throw MoneyError.outOfRange
        case "member": let _: String = try request.body.required("nothing")
        case "own-403": throw Problem.forbidden
        case "full": throw BlockingPool.Overloaded()
        default: throw ToyError.unlucky
        }
        return .noContent
    }
}

extension Transaction {
    /// Whose rows it sees.
    func tenant() async throws -> TenantID {
        try await first("select current_setting('app.tenant')::uuid", as: { try $0.next() }) ?? TenantID()
    }
}

/// Keeps a request inside its transaction until its test has seen what it wanted to see meanwhile.
@LoopActor enum Hold {
    private static var arrived: [TenantID: Int] = [:]
    private static var free: Set<TenantID> = []

    static func wait(_ tenant: TenantID) async throws {
        arrived[tenant, default: 0] += 1
        while !free.contains(tenant) { try await EventLoop.sleep(for: .milliseconds(2)) }
    }

    /// Returns when so many requests of this tenant are being held.
    static func untilHeld(_ tenant: TenantID, _ count: Int = 1) async throws {
        while arrived[tenant, default: 0] < count { try await EventLoop.sleep(for: .milliseconds(2)) }
    }

    static func letGo(_ tenant: TenantID) { free.insert(tenant) }
}
