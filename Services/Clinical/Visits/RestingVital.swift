import Bootstrap
import Postgres
import Primitives

/// A measured value as it rests. In clear where it was written before values were sealed, until `SealWords` has come by.
enum RestingVital: Sendable {
    case sealed([UInt8])
    case clear(Double)

    /// As Postgres writes either: a box begins with `\x`, and a number never does.
    init?(text: String) {
        var text = text
        if let box = text.withUTF8({ Bytes(sql: UnsafeRawBufferPointer($0)) }) {
            self = .sealed(box.array)
        } else if let value = Double(text) {
            self = .clear(value)
        } else {
            return nil
        }
    }
}

extension PatientVault {
    /// Always eight bytes: the length of what is sealed says nothing about a value.
    func seal(_ value: Double, _ loinc: String, of visit: VisitID) throws -> Bytes {
        let bits = withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) }
        return Bytes(try seal(bits, "visit_observation", "sealed_value", row: "\(visit) \(loinc)"))
    }

    func open(_ vital: RestingVital, _ loinc: String, of visit: VisitID) throws -> Double {
        switch vital {
        case .sealed(let box):
            let bits = try open(box, "visit_observation", "sealed_value", row: "\(visit) \(loinc)")
            return Double(bitPattern: bits.reduce(0) { $0 << 8 | UInt64($1) })
        case .clear(let value): return value
        }
    }
}
