import JSON
import Primitives
import Testing

@Suite struct JSONReaderTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test(arguments: [
        ("null", JSONValue.null), (" true ", .bool(true)), ("\t\r\nfalse", .bool(false)), ("0", .int(0)),
        ("-0", .int(0)),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)), ("1.5", .double(1.5)),
        ("1.0", .int(1)), ("1e2", .int(100)), ("-2.5E-1", .double(-0.25)), ("1e300", .double(1e300)),
        ("1e-999", .int(0)),
        ("\"\"", .string("")), (#""a\"\\\/\b\f\n\r\tz""#, .string("a\"\\/\u{8}\u{c}\n\r\tz")),
        (#""\u00e9\u20ac""#, .string("é€")), (#""\ud83d\ude00""#, .string("😀")), ("\"😀é\"", .string("😀é")),
        ("[]", .array([])), ("[ 1 , [2] ]", .array([.int(1), .array([.int(2)])])), ("{}", .object(JSONObject())),
        (#"{ "a" : 1 , "b" : null }"#, .object(JSONObject([("a", .int(1)), ("b", .null)]))),
    ])
    func `A document is read`(_ text: String, _ value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "truefalse", "True", "'a'", "\"a", "\"a\\\"", "[", "]", "[1", "[1,", "[1,]", "[,1]",
        "[1 2]",
        "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{,}",
        "1 2", "{}{}",
        "\u{feff}{}", "// no\n1", "NaN", "Infinity", "-", "+1", "01", "-01", "00", ".5", "1.", "1.e1", "1e", "1e+",
        "0x10", "1_0",
        "1e999", "-1e999", "9223372036854775808", "-9223372036854775809", "99999999999999999999999999", #""\q""#,
        #""\u12""#,
        #""\u12g4""#, #""\u0000""#, #""a\u0000b""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#,
        #""\ud800\n""#, "\"\u{0}\"", "\"a\nb\"", "\"\u{1f}\"", "\u{0}", #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#,
        "{\"\u{e9}\":1,\"e\u{301}\":2}", "1\u{a0}",
    ])
    func `A document that is no JSON, or ambiguous, is refused`(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0xff], [0x22, 0x5c, 0x6e, 0xff, 0x22], [0x5b, 0x80, 0x5d],
        ] as [[UInt8]])
    func `Invalid UTF-8 is refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
    }

    @Test func `Nesting is bounded, and very deep input does not exhaust the stack`() throws {
        let accepted = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try parse(accepted) }
        #expect(throws: JSONError.self) { try parse("[" + accepted + "]") }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSONValue.parse(Array("[[1]]".utf8), maxDepth: 1) }
    }

    @Test func `Siblings do not count as depth`() throws {
        let wide = "[" + Array(repeating: "[],{}", count: 100).joined(separator: ",") + "]"
        #expect(throws: Never.self) { try parse(wide) }
    }

    @Test func `A duplicate is found among many members`() throws {
        let members = (0..<40).map { "\"m\($0)\":\($0)" }
        #expect(throws: Never.self) { try parse("{\(members.joined(separator: ","))}") }
        for twin in [0, 15, 16, 39] {
            #expect(throws: JSONError.self) { try parse("{\(members.joined(separator: ",")),\"m\(twin)\":0}") }
        }
    }

    @Test func `A refusal names the place and never quotes the text`() {
        #expect(throws: JSONError.malformed(reason: "a value was expected", offset: 6)) { try parse(#"{"a": secret}"#) }
    }

    @Test func `What was written is read back`() throws {
        let value = JSONValue.object(
            JSONObject([
                ("text", .string("\u{1}\"\\\n\u{2028}é😀")),
                ("numbers", .array([.int(.min), .int(.max), .double(0.1)])),
                ("nothing", .null), ("flags", .array([.bool(true), .bool(false)])), ("empty", .object(JSONObject())),
            ]))
        #expect(try JSONValue.parse(value.jsonBytes) == value)
    }

    /// Found by `make fuzz`: the magnitude of the smallest Int64 is no Int64.
    @Test(arguments: ["-9223372036854775808", "9223372036854775807", "-1000000000001", "1000000000001"])
    func `An amount beyond the limit is no money`(_ amount: String) throws {
        #expect(Money(json: try parse(#"{"amount":\#(amount),"currency":"INR"}"#)) == nil)
    }

    /// Seeded mutations of a valid document: the reader may refuse, but never trap, and what it accepts it can write.
    @Test func `No input traps`() {
        let seed = Array(
            #"{"a":[1,-2.5e3,"\u00e9\ud83d\ude00x",true,null],"b":{"c":"é"},"d":9223372036854775807}"#.utf8)
        var random = Xorshift(state: 42)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0...random.next(below: 4) {
                let index = random.next(below: bytes.count)
                switch random.next(below: 4) {
                case 0: bytes[index] = UInt8(random.next(below: 256))
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(seed[random.next(below: seed.count)], at: index)
                default: bytes.removeLast(min(bytes.count - 1, random.next(below: 8)))
                }
            }
            if let value = try? JSONValue.parse(bytes) {
                #expect((try? JSONValue.parse(value.jsonBytes)) == value)
            }
        }
    }
}

private struct Xorshift {
    var state: UInt64
    mutating func next(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(1, bound)))
    }
}
