import Contracts
import Glibc
import JSON
import Primitives
@testable import Records

/// What services read that is not a request: a file of another clinic, a copy of a board in Redis, and what people
/// typed as a name, a number, an address. The first byte chooses.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    switch input.byte() % 5 {
    case 0: bundle(input.rest)
    case 1: file(input.rest)
    case 2: copy(input.rest)
    case 3: form(input.rest)
    default: if let text = input.text { words(text) }
    }
    return 0
}

private let today = LocalDate(daysSinceEpoch: 20_777)

private func bundle(_ bytes: [UInt8]) {
    guard let read = try? FHIRBundle(bytes: bytes) else { return }
    must(!read.personal.name.allSatisfy(\.isWhitespace), "an imported person has a name")
    must(Personal(json: parsed(read.personal.jsonBytes)) == read.personal, "what is imported is stored as it was read")
    var last = read.encounters.first?.start
    for encounter in read.encounters {
        must(encounter.start <= encounter.end, "an encounter ends after it began")
        must(last.map { $0 <= encounter.start } ?? true, "encounters come oldest first")
        last = encounter.start
        must(encounter.vitals.isPressurePlausible, "an imported pressure is plausible")
        for vital in Vital.allCases {
            must(encounter.vitals[vital].map(vital.range.contains) ?? true, "what is imported, a living person can have")
        }
        _ = encounter.vitals.bmi
        must(stored(encounter.findings) == encounter.findings, "findings survive storage")
    }
}

/// Through a file, because that is what the importer opens: compressed or not.
private func file(_ bytes: [UInt8]) {
    guard let file = fopen(path, "w") else { fatalError("no file") }
    must(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0, "the disk has room")
    guard let read = try? BundleFile.read(path) else { return }
    must(read.count <= BundleFile.limit, "no file is larger than the limit")
    if !bytes.starts(with: [0x1f, 0x8b]) { must(read == bytes, "a plain file is what it is") }
}

/// In memory, one for each process.
private let path = "/dev/shm/polyclinic-fuzz-\(getpid())"

private func copy(_ bytes: [UInt8]) {
    guard let board = BoardCopy.read(bytes, version: 1) else { return }
    must(BoardCopy.read(BoardCopy.write(board), version: 1) == board, "a copy of a board survives Redis")
    let waiting = board.waiting(at: Timestamp(microseconds: 1_795_190_400_000_000))
    must(waiting.count == board.entries(.waiting).count, "everybody who waits is on the board")
    _ = board.summary
    for entry in board.entries { must(!entry.token.number.isEmpty, "every token has a number") }
}

private func form(_ bytes: [UInt8]) {
    guard let value = try? JSONValue.parse(bytes), let object = JSONObject(json: value) else { return }
    guard let personal = try? PatientForm.read(object, today: today) else { return }
    guard let again = JSONObject(json: parsed(personal.jsonBytes)) else { return must(false, "a person is an object") }
    must((try? PatientForm.read(again, today: today)) == personal, "who is accepted is accepted again, unchanged")
}

private func words(_ text: String) {
    if let phone = PhoneNumber(text) {
        must(PhoneNumber(phone.text) == phone, "a number is its own spelling")
        must((8...15).contains(phone.digits.utf8.count), "a number has its length")
    }
    if let email = EmailAddress(text) { must(EmailAddress(email.text) == email, "an address is its own spelling") }
    let tokens = NameTokens.of(text)
    must(tokens.count <= NameTokens.limit && !tokens.contains(""), "a name has few words, and no empty one")
    must(NameTokens.of(tokens.joined(separator: " ")) == tokens, "words are cut once")
    let question = tokens.map(NameMatch.Word.init)
    must(NameMatch.cost(of: question, in: tokens) == 0, "a name answers to itself")
    must((NameMatch.cost(of: question, in: tokens.reversed() + ["x"]) ?? 0) >= 0, "a cost is no gain")
}

/// What we wrote ourselves.
private func parsed(_ bytes: [UInt8]) -> JSONValue {
    guard let value = try? JSONValue.parse(bytes) else { fatalError("broken promise: what we write is JSON") }
    return value
}

private func stored(_ findings: Findings) -> Findings? {
    JSONObject(json: parsed(findings.stored)).flatMap { try? Findings(data: $0) }
}
