import JSON
import Testing

@Suite struct SchemaTests {
    private let booking = Schema.object([
        .required("slotId", .id), .optional("reason", .text(max: 10)), .optional("count", .integer(1...9)),
        .optional("weight", .number(0.5...300)), .optional("day", .date), .optional("at", .time),
        .optional("from", .instant),
        .optional("price", .money(0...1000)), .optional("mode", .choice(["in_person", "telemedicine"]), "How"),
        .optional("tags", .list(of: .text(max: 3), min: 1, max: 2)), .optional("urgent", .boolean),
        .optional("email", .nullable(.text(max: 5))), .optional("contact", .object([.required("a/b~", .boolean)])),
    ])
    private let id = "0190f5a0-7b5c-7cc0-8000-000000000001"

    private func errors(_ text: String) throws -> [String] {
        booking.check(try JSONValue.parse(Array(text.utf8))).map { "\($0.pointer) \($0.code)" }
    }

    @Test func `A good document has no errors`() throws {
        let good = """
            {"slotId":"\(id)","reason":"éééééééééé","count":9,"weight":1,"day":"2028-02-29","at":"23:59",
             "from":"2026-11-20T09:30:00+05:30","price":{"amount":1000,"currency":"INR"},"mode":"in_person",
             "tags":["a","bcd"],"urgent":false,"email":null,"contact":{"a/b~":true}}
            """
        #expect(try errors(good) == [])
    }

    @Test func `Every wrong field is reported at once`() throws {
        let bad = """
            {"reason":"","count":10,"weight":300.5,"day":"2026-02-29","at":"24:00","from":"2026-11-20",
             "price":{"amount":1,"currency":"inr"},"mode":"fax","tags":["long","b",7],"urgent":"no","email":7,
             "contact":{"x":1},"extra":1}
            """
        #expect(
            try errors(bad) == [
                "/slotId required", "/reason too_short", "/count out_of_range", "/weight out_of_range",
                "/day invalid_date",
                "/at invalid_time", "/from invalid_instant", "/price invalid_money", "/mode invalid_choice",
                "/tags too_many", "/urgent wrong_type", "/email wrong_type", "/contact/a~1b~0 required",
                "/contact/x unknown_field", "/extra unknown_field",
            ])
    }

    @Test(arguments: [
        (#"{"slotId":7}"#, "/slotId wrong_type"), (#"{"slotId":"7"}"#, "/slotId invalid_id"),
        (#"{"slotId":null}"#, "/slotId wrong_type"), (#"{"reason":null}"#, "/reason wrong_type"),
        (#"{"count":1.5}"#, "/count wrong_type"), (#"{"reason":"ééééééééééé"}"#, "/reason too_long"),
        (#"{"tags":[]}"#, "/tags too_few"), (#"{"tags":["a",1]}"#, "/tags/1 wrong_type"),
        (#"{"tags":"a"}"#, "/tags wrong_type"),
        (#"{"price":{"amount":1001,"currency":"INR"}}"#, "/price out_of_range"),
        (#"{"price":{"amount":1,"currency":"INR","x":1}}"#, "/price invalid_money"),
        (#"{"contact":[]}"#, "/contact wrong_type"),
    ])
    func `A wrong field is named with its code`(_ text: String, _ error: String) throws {
        #expect(try errors(text).contains(error))
    }

    @Test func `Anything but an object is the wrong type`() throws {
        #expect(try errors("[]") == [" wrong_type"])
        #expect(try errors("null") == [" wrong_type"])
    }

    @Test func `Details never repeat what was sent`() throws {
        let value = try JSONValue.parse(Array(#"{"slotId":"secret","mode":"secret","s e":1}"#.utf8))
        for error in booking.check(value) {
            #expect(!error.detail.contains("secret"))
            #expect(!error.pointer.contains("s e"))
        }
    }

    @Test func `The number of errors is bounded`() throws {
        let members = (0..<5000).map { "\"x\($0)\":1" }.joined(separator: ",")
        #expect(try errors("{\(members)}").count == 100)
    }

    @Test func `The schema renders itself for OpenAPI`() throws {
        var json = JSONWriter()
        booking.openAPI(to: &json)
        guard case .object(let document) = try JSONValue.parse(json.bytes) else { throw JSONError.member("document") }
        #expect(document["required"] == .array([.string("slotId")]))
        #expect(document["additionalProperties"] == .bool(false))
        let mode = try document.required("properties", as: JSONObject.self).required("mode", as: JSONObject.self)
        #expect(mode["description"] == .string("How"))
        #expect(mode["enum"] == .array([.string("in_person"), .string("telemedicine")]))
    }
}

@Suite struct QueryTests {
    private let fields: [Schema.Field] = [
        .optional("limit", .integer(1...100)), .optional("search", .text(max: 20)), .optional("free", .boolean),
        .optional("from", .instant), .optional("weekdays", .list(of: .integer(1...7), max: 7)),
        .required("date", .date),
        .optional("weight", .number(0...10)),
    ]

    private func errors(_ query: String) -> [String] {
        Schema.query(fields, from: query).1.map { "\($0.pointer) \($0.code)" }
    }

    @Test func `Parameters become values of their types`() throws {
        let (object, errors) = Schema.query(
            fields,
            from:
                "limit=25&search=Asha+R%C3%A3o%26&free=true&date=2026-11-20&weekdays=1,7&weight=2.5&from=2026-11-20T09:30:00+05:30"
        )
        #expect(errors == [])
        #expect(try object.required("limit") == 25)
        #expect(try object.required("search") == "Asha Rão&")
        #expect(try object.required("free") == true)
        #expect(try object.required("weekdays") == [1, 7])
        #expect(try object.required("weight") == 2.5)
        #expect(try object.required("from") == "2026-11-20T09:30:00+05:30")
    }

    @Test func `An empty value counts as missing`() {
        let (object, errors) = Schema.query(fields, from: "search=&limit&date=2026-11-20&&")
        #expect(errors == [])
        #expect(object.members.map(\.name) == ["date"])
        #expect(self.errors("date=") == ["/date required"])
    }

    @Test(arguments: [
        ("limit=0", "/limit out_of_range"), ("limit=x", "/limit wrong_type"), ("limit=+5", "/limit wrong_type"),
        ("limit=99999999999999999999", "/limit wrong_type"), ("limit=5&limit=5", "/limit duplicate"),
        ("free=1", "/free wrong_type"), ("nope=1", " unknown_field"), ("search=%", " invalid_encoding"),
        ("search=%4", " invalid_encoding"), ("search=%zz", " invalid_encoding"), ("search=%00", " invalid_encoding"),
        ("search=%ff", " invalid_encoding"), ("%6cimit=0", "/limit out_of_range"),
        ("weight=1e999", "/weight wrong_type"),
        ("weekdays=1,9", "/weekdays/1 out_of_range"), ("date=today", "/date invalid_date"),
    ])
    func `A wrong parameter is refused`(_ query: String, _ error: String) {
        #expect(errors(query).contains(error))
    }
}
