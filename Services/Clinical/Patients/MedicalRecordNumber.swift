import JSON

/// The short number that people say and write: `MRN-000123`. Each tenant counts its own.
struct MedicalRecordNumber: Equatable, Sendable, JSONWritable {
    let number: Int64

    init(_ number: Int64) { self.number = number }

    /// Reads `MRN-000123`, `mrn 123` and bare digits.
    init?(typed: String) {
        var rest = typed.lowercased()[...]
        if rest.hasPrefix("mrn") { rest = rest.dropFirst(3).drop { $0 == "-" || $0 == " " || $0 == ":" || $0 == "#" } }
        guard (1...12).contains(rest.utf8.count), rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(rest), number > 0
        else { return nil }
        self.number = number
    }

    var text: String {
        let digits = String(number)
        return "MRN-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    func write(to json: inout JSONWriter) { json.string(text) }
}
