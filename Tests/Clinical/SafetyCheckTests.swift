import Primitives
import Testing

@testable import Clinical

@Suite struct SafetyCheckTests {
    private func medicine(_ name: String, _ atc: String?, generic: String? = nil) -> SafetyCheck.Medicine {
        SafetyCheck.Medicine(id: MedicineID(), name: name, genericName: generic, atc: atc)
    }

    private func kinds(
        _ ordered: [SafetyCheck.Medicine], allergies: [HealthFact] = [], current: [SafetyCheck.Medicine] = []
    ) -> [SafetyCheck.Alert.Kind] {
        SafetyCheck(allergies: allergies, current: current).alerts(for: ordered).map(\.kind)
    }

    @Test func `Penicillin stands for its class, by code and by name`() {
        let amoxicillin = medicine("Amoxicillin 500 mg", "J01CA04", generic: "Amoxicillin")
        #expect(kinds([amoxicillin], allergies: [HealthFact(text: "Penicillin")]) == [.allergy])
        #expect(kinds([medicine("Mox 500", nil, generic: "Amoxicillin")], allergies: [HealthFact(text: "penicillins")]) == [.allergy])
        #expect(kinds([amoxicillin], allergies: [HealthFact(text: "x", code: "J01C", system: HealthFact.atcSystem)]) == [.allergy])
        #expect(kinds([amoxicillin], allergies: [HealthFact(text: "Amoxicillin")]) == [.allergy])
        #expect(kinds([amoxicillin], allergies: [HealthFact(text: "Sulfa drugs"), HealthFact(text: "Dust mites")]) == [])
    }

    @Test func `Aspirin and its relatives cross-react`() {
        let ibuprofen = medicine("Ibuprofen 400 mg", "M01AE01")
        #expect(kinds([ibuprofen], allergies: [HealthFact(text: "Aspirin")]) == [.allergy])
        #expect(kinds([medicine("Paracetamol", "N02BE01")], allergies: [HealthFact(text: "Aspirin")]) == [])
    }

    @Test func `The same substance twice is noticed, in one order and across`() {
        let first = medicine("Crocin", "N02BE01")
        let second = medicine("Calpol", "N02BE01")
        #expect(kinds([first, second]) == [.duplicate])
        #expect(kinds([second], current: [first]) == [.duplicate])
        #expect(kinds([medicine("A", "N02BE"), medicine("B", "N02BE")]) == [])
    }

    @Test func `Warfarin and a painkiller are an interaction either way round`() {
        let warfarin = medicine("Warfarin", "B01AA03")
        let ibuprofen = medicine("Ibuprofen", "M01AE01")
        #expect(kinds([ibuprofen], current: [warfarin]) == [.interaction])
        #expect(kinds([warfarin, ibuprofen]) == [.interaction])
        #expect(Interactions.risk("B01AA03", nil) == nil)
    }
}
