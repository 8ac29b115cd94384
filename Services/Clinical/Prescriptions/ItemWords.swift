import Bootstrap
import JSON
import Postgres
import Primitives

/// What an item of a prescription tells of its patient: the medicine in the catalogue's words of that day, and the dose.
/// Sealed as one value under the patient's key.
struct ItemWords: Sendable {
    let name: String
    let genericName: String?
    let atc: String?
    let dose: Thousandths

    var stored: [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("name", name)
            $0.field("genericName", genericName)
            $0.field("atc", atc)
            $0.field("dose", Int(dose.value))
        }
        return json.bytes
    }
}

extension ItemWords {
    init(stored bytes: [UInt8]) throws(JSONError) {
        let data = try JSONObject(stored: bytes)
        name = try data.required("name")
        genericName = try data.optional("genericName")
        atc = try data.optional("atc")
        dose = Thousandths(value: Int64(try data.required("dose", as: Int.self)))
    }
}

/// The same as they rest. In clear where they were written before they were sealed, until `SealWords` has come by.
enum RestingItemWords: Sendable {
    case sealed([UInt8])
    case clear(ItemWords)

    static var columns: SQL { "i.sealed_medicine, i.name, i.generic_name, i.atc, i.dose" }

    init(row: inout Row) throws {
        let box = try row.next(as: Bytes?.self)
        let name = try row.next(as: String?.self)
        let genericName = try row.next(as: String?.self)
        let atc = try row.next(as: String?.self)
        let dose = try row.next(as: Int64?.self)
        if let box {
            self = .sealed(box.array)
        } else if let name, let dose {
            self = .clear(ItemWords(name: name, genericName: genericName, atc: atc, dose: Thousandths(value: dose)))
        } else {
            throw PostgresError(.decoding, message: "prescription_item.sealed_medicine")
        }
    }
}

extension PatientVault {
    func seal(_ words: ItemWords, of item: PrescriptionItemID) throws -> Bytes {
        Bytes(try seal(words.stored, "prescription_item", "sealed_medicine", row: item.description))
    }

    func open(_ words: RestingItemWords, of item: PrescriptionItemID) throws -> ItemWords {
        switch words {
        case .sealed(let box): try ItemWords(stored: open(box, "prescription_item", "sealed_medicine", row: item.description))
        case .clear(let words): words
        }
    }
}
