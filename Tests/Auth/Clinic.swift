import Bootstrap
import Glibc
import JSON
import Loop
import Primitives
import TestSupport

@testable import Auth

/// The service with one tenant, opened by the command as an operator does, and its administrator.
@LoopActor struct Clinic {
    nonisolated static let password = "Polyclinic-demo-2026"

    let host: TestHost
    let admin: SignedIn

    struct SignedIn {
        let id: AccountID
        let tenant: TenantID
        let access: String
        let refresh: String
    }

    nonisolated static func with(
        _ variables: [String: String] = [:], _ body: @escaping @LoopActor @Sendable (Clinic) async throws -> Void
    ) async throws {
        try await onLoop {
            try await TestHost.with(AuthConfig.init(environment:), AuthService.describe, variables: variables) { host in
                try await open("Demo Clinic", admin: "admin@demo.example", on: host)
                let clinic = Clinic(host: host, admin: try await signIn("admin@demo.example", on: host))
                try await body(clinic)
            }
        }
    }

    /// Runs `auth bootstrap-tenant`.
    static func open(_ name: String, admin: String, password: String = Self.password, on host: TestHost) async throws {
        let path = "/tmp/polyclinic-test-password-\(AccountID())"
        _ = try KeyFile.make(path, mode: 0o600, [UInt8]((password + "\n").utf8))
        defer { unlink(path) }
        let command = host.service.commands.first { $0.name == "bootstrap-tenant" }
        let code = try await command?.run([
            "--name", name, "--location-name", "Main Street", "--zone", "Asia/Kolkata", "--currency", "INR",
            "--admin-email", admin, "--admin-password-file", path,
        ])
        guard code == 0 else { throw Failed(what: "bootstrap-tenant answered \(code ?? -1)") }
    }

    struct Failed: Error { let what: String }

    static func signIn(_ email: String, _ password: String = Self.password, on host: TestHost) async throws -> SignedIn {
        try read(try await login(email, password, on: host))
    }

    /// Who a login's answer says is signed in.
    static func read(_ answer: TestHost.Answer) throws -> SignedIn {
        guard answer.status == 200 else { throw Failed(what: "login answered \(answer.status) \(answer.code ?? "")") }
        let user: JSONObject = try answer.json.required("user")
        return SignedIn(
            id: try user.required("id"), tenant: try user.required("tenantId"),
            access: try answer.json.required("accessToken"), refresh: try answer.json.required("refreshToken"))
    }

    static func login(
        _ email: String, _ password: String, otp: String? = nil, on host: TestHost
    ) async throws -> TestHost.Answer {
        var body = JSONObject([("email", .string(email)), ("password", .string(password))])
        if let otp { body["otp"] = .string(otp) }
        return await host.send("POST", "/v1/auth/login", bytes: body.jsonBytes, bearer: nil)
    }

    func signIn(_ email: String, _ password: String = Self.password) async throws -> SignedIn {
        try await Self.signIn(email, password, on: host)
    }

    func login(_ email: String, _ password: String = Self.password, otp: String? = nil) async throws -> TestHost.Answer {
        try await Self.login(email, password, otp: otp, on: host)
    }

    func refresh(_ token: String) async -> TestHost.Answer {
        let body = JSONObject([("refreshToken", .string(token))])
        return await host.send("POST", "/v1/auth/refresh", bytes: body.jsonBytes, bearer: nil)
    }

    func get(_ path: String, as who: SignedIn? = nil) async -> TestHost.Answer {
        await host.send("GET", path, bytes: [], bearer: (who ?? admin).access)
    }

    func post(_ path: String, _ body: JSONObject, as who: SignedIn? = nil) async -> TestHost.Answer {
        await host.send("POST", path, bytes: body.jsonBytes, bearer: (who ?? admin).access)
    }

    func patch(_ path: String, _ body: JSONObject, version: Int?, as who: SignedIn? = nil) async -> TestHost.Answer {
        let headers = version.map { [(name: "If-Match", value: "\"\($0)\"")] } ?? []
        return await host.send("PATCH", path, bytes: body.jsonBytes, bearer: (who ?? admin).access, headers: headers)
    }

    /// An account of the clinic whose owner chose the clinic's password at the first sign-in.
    func add(_ email: String, _ roles: String..., name: String = "Somebody", patient: PatientID? = nil) async throws -> AccountID {
        var body = JSONObject([
            ("name", .string(name)), ("email", .string(email)), ("roles", .array(roles.map { .string($0) })),
        ])
        body["patientId"] = patient.map { .string($0.description) }
        let answer = await post("/v1/users", body)
        guard answer.status == 201 else { throw Failed(what: "create answered \(answer.status) \(answer.code ?? "")") }
        let first = await host.send(
            "POST", "/v1/auth/login",
            bytes: JSONObject([
                ("email", .string(email)), ("password", .string(try answer.json.required("temporaryPassword"))),
                ("newPassword", .string(Self.password)),
            ]).jsonBytes, bearer: nil)
        guard first.status == 200 else { throw Failed(what: "the first sign-in answered \(first.status) \(first.code ?? "")") }
        return try answer.json.required("id")
    }

    func deactivate(_ id: AccountID, version: Int = 1, as who: SignedIn? = nil) async -> TestHost.Answer {
        await patch("/v1/users/\(id)", JSONObject([("active", .bool(false))]), version: version, as: who)
    }
}
