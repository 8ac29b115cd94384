import JSON
import Primitives

/// The vital signs a visit records. Each is a coded observation (LOINC, UCUM), and never "120/80".
enum Vital: String, CaseIterable, Sendable {
    case systolic, diastolic, temperatureC, pulse, respiratoryRate, spo2, weightKg, heightCm

    var loinc: String {
        switch self {
        case .systolic: "8480-6"
        case .diastolic: "8462-4"
        case .temperatureC: "8310-5"
        case .pulse: "8867-4"
        case .respiratoryRate: "9279-1"
        case .spo2: "59408-5"
        case .weightKg: "29463-7"
        case .heightCm: "8302-2"
        }
    }

    /// UCUM.
    var unit: String {
        switch self {
        case .systolic, .diastolic: "mm[Hg]"
        case .temperatureC: "Cel"
        case .pulse, .respiratoryRate: "/min"
        case .spo2: "%"
        case .weightKg: "kg"
        case .heightCm: "cm"
        }
    }

    /// What a living person can have. Wider than healthy: the clinic must be able to record the worst.
    var range: ClosedRange<Double> {
        switch self {
        case .systolic: 40...300
        case .diastolic: 20...200
        case .temperatureC: 25...45
        case .pulse: 20...300
        case .respiratoryRate: 4...100
        case .spo2: 30...100
        case .weightKg: 0.2...650
        case .heightCm: 20...280
        }
    }

    var isWhole: Bool {
        switch self {
        case .systolic, .diastolic, .pulse, .respiratoryRate, .spo2: true
        case .temperatureC, .weightKg, .heightCm: false
        }
    }

    var schema: Schema {
        // Bounds of whole numbers are written as such, so that documentation and check agree.
        guard isWhole, let low = Int64(exactly: range.lowerBound), let high = Int64(exactly: range.upperBound) else {
            return .number(range)
        }
        return .integer(low...high)
    }

    init?(loinc: String) {
        guard let vital = Vital.allCases.first(where: { $0.loinc == loinc }) else { return nil }
        self = vital
    }
}

/// The vital signs of one visit.
struct Vitals: Equatable, Sendable {
    private(set) var values: [Vital: Double] = [:]

    static let bmiCode = "39156-5"

    subscript(_ vital: Vital) -> Double? {
        get { values[vital] }
        set { values[vital] = newValue }
    }

    var isEmpty: Bool { values.isEmpty }

    /// Body mass index, derived, never entered: kg/m² to one decimal.
    var bmi: Double? {
        guard let weight = values[.weightKg], let height = values[.heightCm], height > 0 else { return nil }
        let metres = height / 100
        return (weight / (metres * metres) * 10).rounded() / 10
    }

    /// The lower pressure is below the upper one, or somebody swapped them.
    var isPressurePlausible: Bool {
        guard let systolic = values[.systolic], let diastolic = values[.diastolic] else { return true }
        return diastolic < systolic
    }
}

extension Vitals: JSONReadable, JSONWritable {
    init?(json: JSONValue) {
        guard let data = JSONObject(json: json) else { return nil }
        for vital in Vital.allCases {
            guard let value = data[vital.rawValue], value != .null else { continue }
            guard let number = Double(json: value) else { return nil }
            values[vital] = number
        }
    }

    func write(to json: inout JSONWriter) {
        json.object {
            for vital in Vital.allCases { $0.field(vital.rawValue, values[vital]) }
            $0.field("bmi", bmi)
        }
    }
}

/// The same signs with their codes and units: what other systems read.
struct CodedVitals: JSONWritable {
    let vitals: Vitals

    func write(to json: inout JSONWriter) {
        var list = Vital.allCases.compactMap { vital in vitals[vital].map { (vital.loinc, $0, vital.unit) } }
        if let bmi = vitals.bmi { list.append((Vitals.bmiCode, bmi, "kg/m2")) }
        json.array(of: list) { json, observation in
            json.object {
                $0.field("system", "http://loinc.org")
                $0.field("code", observation.0)
                $0.field("value", observation.1)
                $0.field("unit", observation.2)
            }
        }
    }
}
