import Access
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What a service keeps about one person, for the export that the person has a right to (GDPR 15 and 20).
///
/// Each service answers `/internal/export/patients/:id`; clinical asks all of them and puts the answers together.
@LoopActor package struct PersonExport {
    /// One kind of row: its name in the export, and its rows as one JSON array.
    package struct Part: Sendable {
        package let name: String
        package let read: @LoopActor @Sendable (PatientID, Principal) async throws -> [UInt8]

        package init(_ name: String, read: @escaping @LoopActor @Sendable (PatientID, Principal) async throws -> [UInt8]) {
            self.name = name
            self.read = read
        }

        /// The rows of a table, members named as its columns, without those that say nothing to a person: a table's
        /// tenant, and what `without` names.
        package static func rows(
            of table: String, _ host: Host, without: [String] = [],
            where condition: @escaping @Sendable (PatientID) -> SQL
        ) -> Part {
            Part(table) { person, caller in
                try await PersonExport.rows(of: table, host, for: caller, without: without, where: condition(person))
            }
        }
    }

    /// The rows of a table of which the condition holds, as one JSON array, members named as its columns: without its
    /// tenant and what `without` names.
    package static func rows(
        of table: String, _ host: Host, for caller: Principal, without: [String] = [], where condition: SQL
    ) async throws -> [UInt8] {
        // One row of all rows: the database puts thousands together faster than we read them one by one.
        let found = try await host.db.reader(for: caller.tenant).first(
            """
            select count(*), coalesce(json_agg(to_jsonb(part) - \(["tenant_id"] + without)::text[]), '[]')::text
            from (select * from \(unsafe: table) where \(condition) limit \(PersonExport.most + 1)) part
            """, as: { row in (count: try row.next(as: Int.self), rows: Array(try row.next(as: String.self).utf8)) })
        guard let found else { throw PostgresError(.decoding, message: "export: no row") }
        try PersonExport.checkWhole(found.count)
        return found.rows
    }

    /// Rows of one kind that fit into an export. Nobody has as many; a mistake of ours may, and then an export says so
    /// instead of looking whole.
    package nonisolated static let most = 250_000

    package nonisolated static func checkWhole(_ count: Int) throws(Problem) {
        if count > most { throw Problem(503, "export_too_large", "There is more than an export may hold.") }
    }

    /// The caller must be the person, act for them, or be staff who may export.
    package static func route(_ parts: [Part]) -> Route {
        .get(
            "/internal/export/patients/:id", for: .exportPatients,
            .init("Tell everything kept here about one patient")
        ) { request, caller in
            let person: PatientID = try request.id("id")
            guard !caller.isOnlyPatient || caller.ownPatients.contains(person) else { throw Problem.notFound("patient") }
            var read: [(String, [UInt8])] = []
            for part in parts { read.append((part.name, try await part.read(person, caller))) }
            caller.trail?.read("export", person.description, of: person, on: caller.ground, action: "export")
            return .json(200, Answer(parts: read))
        }
    }

    private struct Answer: JSONWritable {
        let parts: [(String, [UInt8])]
        func write(to json: inout JSONWriter) {
            json.object {
                for (name, rows) in parts {
                    $0.key(name)
                    $0.raw(rows)
                }
            }
        }
    }
}
