import Glibc
import Testing

@testable import Primitives

@Suite struct ZoneTests {
    @Test(arguments: zoneSamples.map(\.zone))
    func `A zone agrees with Python's zoneinfo around its transitions`(name: String) throws {
        let zone = try #require(Zone(name))
        for sample in zoneSamples.first(where: { $0.zone == name })?.samples ?? [] {
            let offset = zone.offset(at: Timestamp(microseconds: sample.second * 1_000_000))
            #expect(offset == sample.offset, "\(name) at \(sample.second)")
        }
    }

    private func instants(_ zone: String, _ date: String, _ time: String) throws -> [String] {
        let zone = try #require(Zone(zone))
        return zone.instants(of: try #require(LocalDate(date)), try #require(LocalTime(time))).map(\.description)
    }

    @Test func `An ordinary local time is one instant`() throws {
        #expect(try instants("Asia/Kolkata", "2026-11-20", "09:30") == ["2026-11-20T04:00:00Z"])
        #expect(try instants("Europe/London", "2026-07-01", "09:30") == ["2026-07-01T08:30:00Z"])
    }

    @Test func `A local time in the spring gap is no instant`() throws {
        #expect(try instants("Europe/London", "2026-03-29", "01:30") == [])
        #expect(try instants("Europe/London", "2026-03-29", "00:59") == ["2026-03-29T00:59:00Z"])
        #expect(try instants("Europe/London", "2026-03-29", "02:00") == ["2026-03-29T01:00:00Z"])
    }

    @Test func `A local time in the autumn hour is two instants, the earlier first`() throws {
        let twice = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]
        #expect(try instants("Europe/London", "2026-10-25", "01:30") == twice)
        #expect(try instants("Europe/London", "2026-10-25", "02:00") == ["2026-10-25T02:00:00Z"])
    }

    @Test func `Half an hour of summer time moves half an hour`() throws {
        // Lord Howe: +11 in summer, +10:30 in winter.
        #expect(try instants("Australia/Lord_Howe", "2026-10-04", "02:15") == [])
        #expect(try instants("Australia/Lord_Howe", "2026-04-05", "01:45").count == 2)
    }

    @Test func `A day that a country skipped has no instants`() throws {
        #expect(try instants("Pacific/Apia", "2011-12-30", "12:00") == [])
    }

    @Test func `The day is the clinic's and not that of UTC`() throws {
        let late = try #require(Timestamp("2026-11-20T19:00:00Z"))
        let kolkata = try #require(Zone("Asia/Kolkata"))
        #expect(kolkata.localDate(of: late) == LocalDate("2026-11-21"))
        #expect(kolkata.localTime(of: late) == LocalTime("00:30"))
        #expect(Zone.utc.localDate(of: late) == LocalDate("2026-11-20"))
    }

    @Test func `A day starts at its first instant, even where midnight is skipped`() throws {
        let saoPaulo = try #require(Zone("America/Sao_Paulo"))
        let day = try #require(LocalDate("2018-11-04"))
        #expect(saoPaulo.start(of: day).description == "2018-11-04T03:00:00Z")
        let apia = try #require(Zone("Pacific/Apia"))
        #expect(apia.start(of: try #require(LocalDate("2026-11-20"))).description == "2026-11-19T11:00:00Z")
    }

    @Test(arguments: [
        "", "/etc/passwd", "../../../etc/passwd", "Europe/../Europe/London", "Europe", "No/Where", "zone.tab",
        "Europe/London\0", String(repeating: "a", count: 65), "Europe/", "Ünited",
    ])
    func `What is not the name of a zone is nil`(name: String) {
        #expect(Zone(name) == nil)
    }

    @Test func `A damaged file is nil and never a trap`() throws {
        let file = try #require(fopen("/usr/share/zoneinfo/Europe/London", "re"))
        defer { fclose(file) }
        var whole = [UInt8](repeating: 0, count: 65_536)
        whole.removeLast(whole.count - fread(&whole, 1, whole.count, file))
        let noon = try #require(Timestamp("2040-06-01T12:00:00Z"))
        for length in 0..<whole.count {
            _ = Zone(name: "cut", tzif: Array(whole[..<length]))?.offset(at: noon)
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<4 {
                // Headers and the footer are where a wrong byte can do most.
                let near = [Int.random(in: 0..<120, using: &random), bytes.count - 1 - Int.random(in: 0..<40, using: &random)]
                bytes[near.randomElement(using: &random) ?? 0] = UInt8.random(in: 0...255, using: &random)
            }
            _ = Zone(name: "bent", tzif: bytes)?.instants(of: LocalDate(daysSinceEpoch: 20_000), .midnight)
        }
    }
}
