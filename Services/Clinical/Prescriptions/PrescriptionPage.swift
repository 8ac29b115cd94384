import Primitives

/// A prescription on paper (A5): what stands where. `PDFPage` draws it.
struct PrescriptionPage: Sendable {
    let clinic: String
    let patient: Personal
    let mrn: MedicalRecordNumber
    let prescriber: String?
    let prescription: Prescription

    func pdf() throws -> [UInt8] {
        var page = try PDFPage()
        page.text(clinic, .title)
        page.text("Prescription", .small)
        page.rule()

        page.text(patient.name, .strong)
        let age = age(on: prescription.localDate).map { "\($0) years" }
        let facts = [mrn.text, "born \(patient.birthDate)", age, patient.sex?.rawValue]
        page.text(facts.compactMap { $0 }.joined(separator: " · "), .small)
        page.rule()

        for (index, item) in prescription.items.enumerated() {
            let strength = item.medicine.strength.flatMap { item.medicine.name.contains($0) ? nil : $0 }
            page.text(
                ["\(index + 1).", item.medicine.name, strength, "(\(item.medicine.form))"].compactMap { $0 }
                    .joined(separator: " "), .strong, keepWithNext: 3)
            page.text(directions(item), .body, indent: 14)
            if let words = item.instructions { page.text(words, .body, indent: 14) }
            page.text("Dispense: \(counted("\(item.quantity)", item.unit))", .small, indent: 14)
            page.space(5)
        }
        page.rule()

        page.text("Issued \(prescription.localDate) · valid until \(prescription.validUntil)", .body)
        page.space(22)
        page.text(prescriber ?? "Practitioner \(prescription.practitioner)", .strong)
        page.text("Prescription \(prescription.id)", .small)
        return try page.finish()
    }

    private func directions(_ item: PrescriptionItem) -> String {
        let times = item.frequencyPerDay == 1 ? "once a day" : "\(item.frequencyPerDay) times a day"
        let days = item.durationDays == 1 ? "for 1 day" : "for \(item.durationDays) days"
        return "\(counted(item.dose.text, item.doseUnit)), \(times), \(days)"
    }

    /// `1 tablet`, `2 tablets`; units such as ml have no plural.
    private func counted(_ number: String, _ unit: String) -> String {
        let pieces = ["tablet", "capsule", "sachet", "patch", "vial", "ampoule", "lozenge", "injection", "pack", "puff", "drop", "unit"]
        guard number != "1", pieces.contains(unit) else { return "\(number) \(unit)" }
        return "\(number) \(unit)" + (unit.hasSuffix("ch") ? "es" : "s")
    }

    private func age(on day: LocalDate) -> Int? {
        let born = patient.birthDate
        guard born <= day else { return nil }
        let hadBirthday = (born.month, born.day) <= (day.month, day.day)
        return day.year - born.year - (hadBirthday ? 0 : 1)
    }
}
