import Contracts
import JSON
import Messaging
import Testing

/// The golden files are the contract with everybody who was built before us: a changed one is the signal in a
/// review. `REGENERATE_GOLDEN=1 swift test --filter GoldenTests` writes them again.
struct GoldenTests {
    @Test(arguments: Catalogue.events) func `An event is written as its golden file says`(_ entry: CatalogueEntry) throws {
        let file = "Tests/Contracts/Golden/\(entry.name).json"
        let sample = try JSONValue.parse(entry.sample)
        if Files.regenerates { try Files.write(file, Pretty.text(sample)) }
        let golden = try JSONValue.parse(Files.read(file))
        #expect(sample == golden, "\(file) differs: is this a new version of the event?")
    }

    @Test(arguments: Catalogue.events) func `An event is read back whole, and without its optional members`(_ entry: CatalogueEntry) throws {
        guard case .object(let whole) = try JSONValue.parse(entry.sample) else {
            Issue.record("\(entry.name) is no object")
            return
        }
        #expect(try entry.reread(whole) == entry.sample)
        for member in whole.members {
            var less = whole
            less[member.name] = nil
            if entry.optional.contains(member.name) {
                #expect(try entry.reread(less) == less.jsonBytes)
            } else {
                #expect(throws: JSONError.self, "\(entry.name) does not need \(member.name)") { try entry.reread(less) }
            }
        }
        for name in entry.optional { #expect(whole.has(name), "\(entry.name)'s sample lacks \(name)") }
    }

    @Test(arguments: Catalogue.events) func `A member that came later is ignored`(_ entry: CatalogueEntry) throws {
        guard case .object(var more) = try JSONValue.parse(entry.sample) else { return }
        more["addedNextYear"] = .object(JSONObject([("deep", .array([.null]))]))
        #expect(try entry.reread(more) == entry.sample)
    }

    @Test func `Every golden file is of an event we know`() throws {
        let known = Set(Catalogue.events.map { "\($0.name).json" })
        #expect(try Set(Files.names(in: "Tests/Contracts/Golden")) == known)
    }

    @Test func `Every event that is declared is in the catalogue`() throws {
        var declared: Set<String> = []
        for service in try Files.names(in: "Shared/Contracts") where !service.hasSuffix(".swift") {
            for file in try Files.names(in: "Shared/Contracts/\(service)") where file.hasSuffix("Events.swift") {
                let text = String(decoding: try Files.read("Shared/Contracts/\(service)/\(file)"), as: UTF8.self)
                for line in text.split(separator: "\n") where line.contains("static let name: EventName = ") {
                    declared.insert(String(line.split(separator: "\"")[1]))
                }
            }
        }
        declared.formUnion(["audit.entry.recorded.v1", "audit.access.recorded.v1", "audit.facts.sent.v1"])
        #expect(declared == Set(Catalogue.events.map(\.name.text)))
    }

    @Test func `Names are unique, follow the grammar, and are in past tense of a service we have`() {
        let services: Set = [
            "auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "audit",
        ]
        #expect(Set(Catalogue.events.map(\.name)).count == Catalogue.events.count)
        for entry in Catalogue.events {
            let parts = entry.name.text.split(separator: ".")
            #expect(parts.count == 4, "\(entry.name)")
            #expect(services.contains(entry.name.service), "\(entry.name)")
            #expect(parts.last?.first == "v", "\(entry.name)")
            #expect(parts.joined().allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" }, "\(entry.name)")
        }
    }

    @Test func `No event carries personal data`() throws {
        let forbidden: Set = [
            "name", "firstname", "lastname", "fullname", "patientname", "phone", "email", "address", "birthdate",
            "diagnosis", "diagnoses", "note", "notes", "text", "complaint", "chiefcomplaint", "symptoms", "password",
            "otp", "allergies", "conditions", "vitals", "card", "pan",
        ]
        // Published data: what a medicine is called.
        let allowed: Set = ["pharmacy.medicine.listed.v1 name"]
        for entry in Catalogue.events {
            for key in keys(try JSONValue.parse(entry.sample)) where forbidden.contains(key.lowercased()) {
                #expect(allowed.contains("\(entry.name) \(key)"), "\(entry.name) carries \(key)")
            }
        }
    }

    @Test func `The AsyncAPI document is the one in docs`() throws {
        let document = try JSONValue.parse(Catalogue.document)
        if Files.regenerates { try Files.write("docs/asyncapi.json", Pretty.text(document)) }
        #expect(try JSONValue.parse(Files.read("docs/asyncapi.json")) == document)
    }

    private func keys(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let object): object.members.flatMap { [$0.name] + keys($0.value) }
        case .array(let values): values.flatMap(keys)
        default: []
        }
    }
}
