import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct ReaderTests {
    private func expect<T: SQLReadable & Equatable>(_ row: inout Row, _ expected: T) throws {
        let value: T = try row.next()
        #expect(value == expected)
    }

    @Test func `What is interpolated stays text`() async throws {
        try await withGadgets { test in
            let nasty = "'; drop table gadget; --$1"
            try await test.insert(nasty)
            let found = try await test.db.reader(for: test.tenant)
                .first("select name from gadget where name = \(nasty)") { try $0.next(as: String.self) }
            #expect(found == nasty)
        }
    }

    @Test func `Values of every kind come back as they were`() async throws {
        try await withGadgets { test in
            let sql = test.db.reader(for: test.tenant)
            let bytes = Bytes((0...255).map { UInt8($0) })
            let now = Timestamp.now()
            let id = ID<Gadget>()
            let names: [String?] = ["a\"b\\", nil, "", "ü,{}"]
            try await sql.first(
                """
                select \(bytes)::bytea, \(now)::timestamptz, \(id)::uuid, \(true)::boolean, \(-7)::bigint,
                       \(1.5)::float8, \(nil as Int?)::int, (\(SQLArray(names))::text[])[1],
                       (\(SQLArray(names))::text[])[2] is null, cardinality(\([id, id])::uuid[]), ''
                """
            ) { row in
                try expect(&row, bytes)
                try expect(&row, now)
                try expect(&row, id)
                try expect(&row, true)
                try expect(&row, -7)
                try expect(&row, 1.5)
                let nothing: Int? = try row.next()
                #expect(nothing == nil)
                try expect(&row, "a\"b\\")
                try expect(&row, true)
                try expect(&row, 2)
                try expect(&row, "")
            }
        }
    }

    @Test func `Arrays and times of day are read`() async throws {
        try await withGadgets { test in
            let sql = test.db.reader(for: test.tenant)
            let words = ["a", "", "b c", "NULL", "q\"\\,{}"]
            try await sql.first("select \(words)::text[], '{}'::int[], '{3,-4}'::int[], '09:30'::time") { row in
                try expect(&row, words)
                try expect(&row, [Int]())
                try expect(&row, [3, -4])
                let time: LocalTime = try row.next()
                #expect(time == LocalTime("09:30"))
            }
            let error = try await PostgresError.of {
                _ = try await sql.first("select '{1,null}'::int[]") { try $0.next(as: [Int].self) }
            }
            #expect(error?.code == .decoding)
        }
    }

    @Test func `A column of the wrong type or too many columns is a decoding fault`() async throws {
        try await withGadgets { test in
            let sql = test.db.reader(for: test.tenant)
            for body: (inout Row) throws -> Void in [
                { _ = try $0.next(as: Int.self) },
                { _ = try ($0.next(as: String.self), $0.next(as: String.self)) },
            ] {
                let error = try await PostgresError.of { _ = try await sql.first("select 'text'", as: body) }
                #expect(error?.code == .decoding)
            }
        }
    }

    @Test func `Without a tenant a table under row-level security is an error`() async throws {
        try await withGadgets { test in
            try await test.insert("mine")
            let error = try await PostgresError.of { _ = try await test.db.systemReader.run("select * from gadget") }
            #expect(error?.code == .server)
            let inside = try await PostgresError.of {
                try await test.db.systemTransaction { _ = try await $0.run("select * from gadget") }
            }
            #expect(inside?.code == .server)
        }
    }

    @Test func `One tenant cannot see or touch another's rows`() async throws {
        try await withGadgets { test in
            let other = TenantID()
            try await test.insert("mine")
            try await test.insert("theirs", for: other)
            #expect(try await test.names() == ["mine"])
            #expect(try await test.names(for: other) == ["theirs"])
            let changed = try await test.db.transaction(for: test.tenant) {
                try await $0.run("update gadget set count = 1 where name = 'theirs'")
            }
            #expect(changed == 0)
            let forged = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) {
                    _ = try await $0.run(
                        "insert into gadget (id, tenant_id, name) values (\(TenantID()), \(other), 'x')")
                }
            }
            #expect(forged?.sqlState == "42501")
        }
    }

    @Test func `Reads of many tenants in one tick each see their own rows`() async throws {
        try await withGadgets { test in
            let tenants = (0..<20).map { _ in TenantID() }
            for (index, tenant) in tenants.enumerated() { try await test.insert("of \(index)", for: tenant) }
            let results = await atOnce(200) { try await test.names(for: tenants[$0 % 20]) }
            for (index, result) in results.enumerated() { #expect(result.value == ["of \(index % 20)"]) }
        }
    }

    @Test func `A failing read does not hurt its neighbours of the same tick`() async throws {
        try await withGadgets { test in
            try await test.insert("x")
            let sql = test.db.reader(for: test.tenant)
            let results = await atOnce(30) { index in
                switch index {
                case 10: try await sql.first("select 1 / \(0)") { try $0.next(as: Int.self) }
                case 20: try await sql.first("selec") { try $0.next(as: Int.self) }
                default: try await sql.first("select \(index)::int from gadget") { try $0.next(as: Int.self) }
                }
            }
            for (index, result) in results.enumerated() {
                if index == 10 {
                    #expect((result.error as? PostgresError)?.sqlState == "22012")
                } else if index == 20 {
                    #expect((result.error as? PostgresError)?.sqlState == "42601")
                } else {
                    #expect(result.value == index)
                }
            }
        }
    }

    @Test func `A reader cannot write`() async throws {
        try await withGadgets { test in
            let error = try await PostgresError.of {
                try await test.db.reader(for: test.tenant).run("delete from gadget")
            }
            #expect(error?.sqlState == "25006")
        }
    }

    @Test func `A zero character in a parameter is refused, not cut off`() async throws {
        try await withGadgets { test in
            let error = try await PostgresError.of {
                _ = try await test.db.reader(for: test.tenant).run("select \("Ada\0")::text")
            }
            #expect(error?.sqlState == "22021")
        }
    }

    @Test func `More statements than a connection keeps prepared all run`() async throws {
        try await withGadgets { test in
            let sql = test.db.reader(for: test.tenant)
            for round in 0..<2 {
                let results = await atOnce(700) { index in
                    try await sql.first("select \(unsafe: "\(index)")::int") { try $0.next(as: Int.self) }
                }
                #expect(results.map(\.value) == (0..<700).map { $0 }, "round \(round)")
            }
        }
    }

    @Test func `A prepared read survives a migration of its table`() async throws {
        try await withGadgets { test in
            try await test.insert("x")
            let sql = test.db.reader(for: test.tenant)
            #expect(try await sql.run("select * from gadget") == 1)
            try await test.asOwner("alter table gadget add column colour text")
            let results = await atOnce(10) { _ in
                try await sql.run("select * from gadget")
            }
            #expect(results.allSatisfy { $0.value == 1 })
            let written = try await test.db.transaction(for: test.tenant) {
                try await $0.run("select * from gadget")
            }
            #expect(written == 1)
        }
    }
}
