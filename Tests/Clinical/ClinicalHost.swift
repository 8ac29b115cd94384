import Access
import Contracts
import JSON
import Loop
import Primitives
import TestSupport

@testable import Clinical

/// The service on a database of its own, with the small things that every test of its routes needs.
func withClinical(_ body: sending @escaping @LoopActor (TestHost) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(ClinicalConfig.init(environment:), ClinicalService.describe) { host in
            let doctor = host.account(.doctor)
            try await host.react(to: LicenceVerified(accountID: doctor, validUntil: LocalDate(daysSinceEpoch: 80_000)))
            try await body(host)
        }
    }
}

extension JSONObject {
    /// For tests: a body as one writes it.
    static func body(_ members: (String, JSONValue)...) -> JSONObject {
        JSONObject(members.map { (name: $0.0, value: $0.1) })
    }
}

extension TestHost {
    /// What scheduling says of a doctor whose licence somebody has verified.
    func license(_ account: AccountID, until: String = "2199-12-31") {
        cards["scheduling", "/internal/cards/accounts/\(account)/provider"] = JSONObject([
            ("accountId", .string(account.description)), ("licensedUntil", .string(until)),
        ])
    }

    /// A token of another doctor, whose licence somebody has verified too.
    func colleague(_ account: AccountID = AccountID()) async throws -> String {
        try await react(to: LicenceVerified(accountID: account, validUntil: LocalDate(daysSinceEpoch: 80_000)))
        return try token(.doctor, account: account)
    }

    func registered(
        _ name: String = "Meera Iyer", phone: String = "9820012345", allergies: [String] = []
    ) async throws -> (id: PatientID, answer: Answer) {
        let answer = try await send(
            "POST", "/v1/patients",
            body: .body(
                ("name", .string(name)), ("birthDate", .string("1988-04-12")), ("phone", .string(phone)),
                ("allergies", .array(allergies.map { .string($0) }))), as: .reception)
        return (try answer.json.required("id"), answer)
    }

    func begun(_ patient: PatientID) async throws -> VisitID {
        let answer = try await send(
            "POST", "/v1/visits", body: .body(("patientId", .string(patient.description))), as: .doctor)
        return try answer.json.required("id")
    }

    /// What auth says of a new account.
    func hired(_ account: AccountID) -> AccountCreated {
        AccountCreated(
            accountID: account, roles: ["doctor"], locationID: location, zone: "Asia/Kolkata", professionalName: nil,
            patientID: nil)
    }

    func found(_ typed: String, as role: Role = .reception) async throws -> [String] {
        let query = typed.utf8.map { byte in
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        let answer = try await send("GET", "/v1/patients?search=\(query)", as: role)
        return try answer.items.map { try $0.required("name") }
    }
}
