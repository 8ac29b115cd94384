/// One input of the fuzzer, taken apart from the front.
struct Input {
    private(set) var bytes: ArraySlice<UInt8>

    init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        bytes = Array(UnsafeBufferPointer(start: start, count: count))[...]
    }

    /// The next byte, 0 behind the end: a target's choice of what to do with the rest.
    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

    /// What is left.
    var rest: [UInt8] { Array(bytes) }
    /// What is left as text, as a header or a path would carry it; nil when it is not UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }
}

/// A property that does not hold ends the process like any other trap, so libFuzzer keeps the input.
func must(_ holds: Bool, _ promise: String) {
    guard !holds else { return }
    fatalError("broken promise: \(promise)")
}
