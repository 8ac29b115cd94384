import HTTP
import JSON
import Primitives
import Testing

@testable import Clinical

@Suite struct PatientFormTests {
    let today: LocalDate

    init() throws { today = try #require(LocalDate("2026-11-20")) }

    private func form(_ changes: [(String, JSONValue)] = []) -> JSONObject {
        var form = JSONObject([
            ("name", .string(" Meera Iyer ")), ("birthDate", .string("1988-04-12")), ("phone", .string("98200 12345")),
        ])
        for (name, value) in changes { form[name] = value }
        return form
    }

    /// The pointers that are refused.
    private func refused(_ changes: [(String, JSONValue)]) -> [String] {
        do {
            _ = try PatientForm.read(form(changes), today: today)
            return []
        } catch let problem as Problem {
            return problem.errors.map(\.pointer)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `A phone number is kept in E.164 and a name without outer blanks`() throws {
        let personal = try PatientForm.read(form(), today: today)
        #expect(personal.phone == "+919820012345")
        #expect(personal.name == "Meera Iyer")
    }

    @Test(arguments: [
        ("9820012345", "+919820012345"), ("+44 20 7946 0958", "+442079460958"), ("0044 2079460958", "+442079460958"),
        ("09820012345", "+919820012345"), ("91-98200-12345", "+919820012345"), ("(982) 001.2345", "+919820012345"),
    ])
    func `Numbers are read as people write them`(typed: String, kept: String) {
        #expect(PhoneNumber(typed)?.text == kept)
    }

    @Test(arguments: ["", "12345", "98200x2345", "+1", "+0123456789", "++919820012345", "12345678901234567890"])
    func `What cannot be a phone number is none`(typed: String) {
        #expect(PhoneNumber(typed) == nil)
    }

    @Test func `Every wrong field is named at once`() {
        let pointers = refused([
            ("name", .string("  ")), ("birthDate", .string("2026-11-21")), ("phone", .string("12")),
            ("email", .string("nobody")), ("allergies", .array([.int(1), .string("Dust")])),
        ])
        #expect(pointers == ["/name", "/birthDate", "/phone", "/email", "/allergies/0"])
    }

    @Test func `Nobody is older than 130 years or born tomorrow`() {
        #expect(refused([("birthDate", .string("2026-11-20"))]) == [])
        #expect(refused([("birthDate", .string("2026-11-21"))]) == ["/birthDate"])
        #expect(refused([("birthDate", .string("1900-01-01"))]) == [])
    }

    @Test func `Allergies are plain words or coded`() throws {
        let personal = try PatientForm.read(
            form([
                ("allergies", .array([
                    .string("Penicillin"), .object(JSONObject([("text", .string("Sulfa")), ("atc", .string("J01E"))])),
                    .string("Penicillin"),
                ]))
            ]), today: today)
        #expect(personal.allergies == [
            HealthFact(text: "Penicillin"), HealthFact(text: "Sulfa", code: "J01E", system: HealthFact.atcSystem),
        ])
        #expect(personal.allergies[1].atc == "J01E")
    }

    @Test func `A merge patch clears with null and merges objects`() {
        let old = form([("emergencyContact", .object(JSONObject([("name", .string("A")), ("phone", .string("9"))])))])
        let new = old.merged(
            with: JSONObject([
                ("email", .null), ("emergencyContact", .object(JSONObject([("phone", .string("8"))]))), ("phone", .null),
            ]))
        #expect(new["phone"] == nil)
        #expect(new["emergencyContact"] == .object(JSONObject([("name", .string("A")), ("phone", .string("8"))])))
    }

    @Test func `A medical record number is read as it is printed and as it is said`() {
        #expect(MedicalRecordNumber(123).text == "MRN-000123")
        #expect(MedicalRecordNumber(12_345_678).text == "MRN-12345678")
        for typed in ["MRN-000123", "mrn 123", "123", "000123"] {
            #expect(MedicalRecordNumber(typed: typed)?.number == 123)
        }
        for typed in ["MRN-", "x123", "0", "-1", "1234567890123"] { #expect(MedicalRecordNumber(typed: typed) == nil) }
    }
}
