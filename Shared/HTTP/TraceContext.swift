import Loop

/// W3C Trace Context: which trace a request belongs to, and our own span in it.
enum TraceContext {
    /// `00-<trace id>-<a new span>-<flags>`: the trace of a valid incoming header, or a new one.
    @LoopActor static func next(after incoming: String?) -> String {
        let span = hex(nonZero())
        if let incoming, let trace = valid(incoming) { return "00-\(trace.id)-\(span)-\(trace.flags)" }
        return "00-\(hex(nonZero()))\(hex(random.next()))-\(span)-01"
    }

    /// The trace id and flags of a header that follows the specification to the letter.
    static func valid(_ header: String) -> (id: Substring, flags: Substring)? {
        let bytes = Array(header.utf8)
        guard bytes.count >= 55, bytes[2] == 0x2d, bytes[35] == 0x2d, bytes[52] == 0x2d,
            isHex(bytes[0..<2]), isHex(bytes[3..<35]), isHex(bytes[36..<52]), isHex(bytes[53..<55]),
            bytes[3..<35].contains(where: { $0 != 0x30 }), bytes[36..<52].contains(where: { $0 != 0x30 }),
            // ff is forbidden; a later version may carry more after a dash.
            !header.hasPrefix("ff"), bytes.count == 55 || (!header.hasPrefix("00") && bytes[55] == 0x2d)
        else { return nil }
        let text = header[...]
        return (text.dropFirst(3).prefix(32), text.dropFirst(53).prefix(2))
    }

    private static func isHex(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func hex(_ number: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            let digits: StaticString = "0123456789abcdef"
            for index in 0..<16 {
                buffer.initializeElement(at: index, to: digits.utf8Start[Int(number >> UInt64(60 - 4 * index) & 15)])
            }
            return 16
        }
    }

    @LoopActor private static func nonZero() -> UInt64 { max(1, random.next()) }

    /// Ids must be unlikely to collide, not unguessable; the system's generator would cost a call per word.
    @LoopActor private static var random = Xoshiro256()
}

/// xoshiro256**, https://prng.di.unimi.it, seeded from the system.
private struct Xoshiro256: RandomNumberGenerator {
    private var s: (UInt64, UInt64, UInt64, UInt64)

    init() {
        var system = SystemRandomNumberGenerator()
        s = (system.next(), system.next(), system.next(), system.next() | 1)
    }

    mutating func next() -> UInt64 {
        let x = s.1 &* 5
        let result = (x << 7 | x >> 57) &* 9
        let t = s.1 << 17
        s.2 ^= s.0
        s.3 ^= s.1
        s.1 ^= s.2
        s.0 ^= s.3
        s.2 ^= t
        s.3 = s.3 << 45 | s.3 >> 19
        return result
    }
}
