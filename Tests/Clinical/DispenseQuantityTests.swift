import Testing

@testable import Clinical

@Suite struct DispenseQuantityTests {
    private func quantity(
        _ form: String, _ strength: String? = nil, dose: String, _ unit: String? = nil, times: Int64 = 3, days: Int64 = 7
    ) throws -> Int {
        let thousandths = try #require(Thousandths(dose))
        return try DispenseQuantity(
            form: form, strength: strength, dose: thousandths.value, doseUnit: unit, timesPerDay: times, days: days
        ).quantity
    }

    @Test func `Tablets are dose times frequency times days, rounded up`() throws {
        #expect(try quantity("tablet", dose: "1") == 21)
        #expect(try quantity("tablet", dose: "0.5") == 11)
        #expect(try quantity("capsule", dose: "2", "capsules", times: 2, days: 5) == 20)
        #expect(try quantity("Tablet", dose: "0.333", times: 3, days: 1) == 1)
        #expect(try quantity("something new", dose: "1", times: 1, days: 1) == 1)
    }

    @Test func `A dose in milligrams is divided by the strength`() throws {
        #expect(try quantity("tablet", "500 mg", dose: "1000", "mg", times: 2, days: 5) == 20)
        #expect(try quantity("tablet", "500mg", dose: "0.25", "g", times: 1, days: 10) == 5)
        #expect(try quantity("tablet", "0.5 mg", dose: "250", "mcg", times: 1, days: 4) == 2)
    }

    @Test func `Liquids are measured in millilitres`() throws {
        #expect(try quantity("syrup", dose: "10", "ml", days: 5) == 150)
        #expect(try quantity("Oral suspension", dose: "2.5") == 53)
        #expect(try quantity("syrup", dose: "1", "tsp", days: 5) == 75)
        #expect(try quantity("syrup", "250 mg/5 ml", dose: "500", "mg", days: 5) == 150)
        #expect(try quantity("solution", "100 mg/ml", dose: "50", "mg", times: 2, days: 10) == 10)
    }

    @Test func `Creams, drops and inhalers are handed out by the pack`() throws {
        for form in ["cream", "ointment", "inhaler", "eye drops", "nasal spray"] {
            #expect(try quantity(form, dose: "2", "puffs", times: 4, days: 30) == 1)
        }
    }

    @Test(arguments: [("syrup", "tablets"), ("tablet", "ml"), ("tablet", "mg"), ("tablet", "spoonful of sugar")])
    func `A unit that the form is not dosed in is refused`(form: String, unit: String) {
        #expect(throws: DispenseQuantity.Refusal.unsuitableUnit) { try quantity(form, dose: "1", unit) }
    }

    @Test func `No course is larger than a counter can hand out, and nothing overflows`() throws {
        #expect(throws: DispenseQuantity.Refusal.outOfRange) { try quantity("tablet", dose: "10000", times: 24, days: 365) }
        #expect(throws: DispenseQuantity.Refusal.outOfRange) {
            try quantity("syrup", "1 mcg/1000 ml", dose: "10000", "g", times: 24, days: 365)
        }
        #expect(throws: DispenseQuantity.Refusal.outOfRange) { try quantity("tablet", dose: "0") }
        #expect(throws: DispenseQuantity.Refusal.outOfRange) { try quantity("tablet", dose: "1", times: 25) }
    }

    @Test func `A decimal dose is exact to three places`() {
        #expect(Thousandths(0.1)?.value == 100)
        #expect(Thousandths(2.5)?.value == 2500)
        #expect(Thousandths(0.0005) == nil)
        #expect(Thousandths(.infinity) == nil)
        #expect(Thousandths(1e300) == nil)
        #expect(Thousandths("0.25")?.text == "0.25")
        #expect(Thousandths("3")?.text == "3")
    }
}
