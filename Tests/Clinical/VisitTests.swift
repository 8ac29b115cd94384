import Contracts
import JSON
import Primitives
import Testing

@testable import Clinical

@Suite struct VisitTests {
    private func visit() throws -> Visit {
        Visit(
            id: VisitID(), patient: PatientID(), practitioner: AccountID(), location: LocationID(),
            localDate: try #require(LocalDate("2026-11-20")), token: nil, appointment: nil, startedAt: Timestamp.now())
    }

    @Test func `A signed visit takes neither findings nor a second signature`() throws {
        var visit = try visit()
        let doctor = AccountID()
        let completed = try visit.complete(by: doctor, at: Timestamp.now())
        #expect(completed.practitionerID == doctor)
        #expect(throws: VisitError.signed) { try visit.record(Findings(chiefComplaint: "Fever"), Vitals()) }
        #expect(throws: VisitError.signed) { _ = try visit.complete(by: doctor, at: Timestamp.now()) }
        #expect(throws: VisitError.signed) { try visit.mayBeExtended() }
        try visit.mayHaveAddendum()
    }

    @Test func `An open visit has no addenda`() throws {
        let visit = try visit()
        #expect(throws: VisitError.notSigned) { try visit.mayHaveAddendum() }
    }

    @Test func `Recording says what changed, and nothing when nothing did`() throws {
        var visit = try visit()
        var vitals = Vitals()
        vitals[.pulse] = 72
        #expect(try visit.record(Findings(chiefComplaint: "Fever"), vitals) == ["chiefComplaint", "vitals"])
        #expect(visit.version == 2)
        #expect(try visit.record(visit.findings, visit.vitals) == [])
        #expect(visit.version == 2)
    }

    @Test func `A diastolic pressure above the systolic one was swapped`() throws {
        var visit = try visit()
        var vitals = Vitals()
        vitals[.systolic] = 80
        vitals[.diastolic] = 120
        let swapped = vitals
        #expect(throws: VisitError.pressureSwapped) { try visit.record(Findings(), swapped) }
    }

    @Test func `The body mass index is derived from weight and height`() {
        var vitals = Vitals()
        vitals[.weightKg] = 61.5
        #expect(vitals.bmi == nil)
        vitals[.heightCm] = 162
        #expect(vitals.bmi == 23.4)
    }

    @Test func `A merge patch keeps what it does not name and clears what it nulls`() throws {
        var visit = try visit()
        var vitals = Vitals()
        vitals[.pulse] = 72
        vitals[.spo2] = 97
        _ = try visit.record(Findings(chiefComplaint: "Fever", symptomDays: 3), vitals)
        let patch = JSONObject([
            ("symptomDays", .null), ("vitals", .object(JSONObject([("spo2", .null), ("pulse", .int(80))]))),
        ])
        let merged = visit.document.merged(with: patch)
        let findings = try Findings(data: merged)
        let new = try merged.required("vitals", as: Vitals.self)
        #expect(findings.chiefComplaint == "Fever" && findings.symptomDays == nil)
        #expect(new[.pulse] == 80 && new[.spo2] == nil)
    }

    @Test func `Every vital sign has its own LOINC code`() {
        #expect(Set(Vital.allCases.map(\.loinc)).count == Vital.allCases.count)
        for vital in Vital.allCases { #expect(Vital(loinc: vital.loinc) == vital) }
    }
}
