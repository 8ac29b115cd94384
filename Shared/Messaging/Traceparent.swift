/// The W3C Trace Context header: `00-<trace id>-<parent id>-<flags>`.
package enum Traceparent {
    /// A new trace.
    package static func fresh() -> String {
        var random = SystemRandomNumberGenerator()
        return "00-" + hex(random.next()) + hex(random.next()) + "-" + hex(random.next() | 1) + "-01"
    }

    /// The same trace with a new parent, for what this message causes. A malformed one starts a new trace.
    package static func child(of traceparent: String) -> String {
        guard isValid(traceparent) else { return fresh() }
        var random = SystemRandomNumberGenerator()
        return traceparent.prefix(36) + hex(random.next() | 1) + traceparent.suffix(3)
    }

    /// What all that one request caused has in common. Cut by bytes: it is done for every read of a record.
    package static func traceID(of traceparent: String) -> String {
        String(Substring(traceparent.utf8.dropFirst(3).prefix(32)))
    }

    package static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, zip(parts, [2, 32, 16, 2]).allSatisfy({ $0.utf8.count == $1 }), parts[0] != "ff" else {
            return false
        }
        let isHex = parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
        return isHex && parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
