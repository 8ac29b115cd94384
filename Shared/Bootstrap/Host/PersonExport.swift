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
        let name: String
        let read: @LoopActor @Sendable (PatientID, Principal) async throws -> [UInt8]

        package init(_ name: String, read: @escaping @LoopActor @Sendable (PatientID, Principal) async throws -> [UInt8]) {
            self.name = name
            self.read = read
        }

        /// The rows of a table, members named as its columns.
        package static func rows(
            of table: String, _ host: Host, where condition: @escaping @Sendable (PatientID) -> SQL
        ) -> Part {
            Part(table) { person, caller in
                try await host.db.reader(for: caller.tenant).first(
                    """
                    select coalesce(json_agg(to_jsonb(part) - 'tenant_id'), '[]')::text
                    from (select * from \(unsafe: table) where \(condition(person)) limit 10000) part
                    """, as: { Array(try $0.next(as: String.self).utf8) }) ?? Array("[]".utf8)
            }
        }
    }

    /// `self` must be the person, or staff who may export.
    package static func route(_ parts: [Part]) -> Route {
        .get(
            "/internal/export/patients/:id", for: .exportPatients,
            .init("Tell everything kept here about one patient")
        ) { request, caller in
            let person: PatientID = try request.id("id")
            guard !caller.isOnlyPatient || caller.patient == person else { throw Problem.notFound("patient") }
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
