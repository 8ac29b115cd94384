import Cryptography
import HTTP
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Access

/// Tokens that were given to a client: for some services and some permissions only.
struct GrantTests {
    private static let issuer = "https://clinic.example"
    private let key: SigningKey
    private let now = AccessToken.now

    init() throws { key = try SigningKey.generate() }

    private func token(_ scopes: Set<Scope>, _ services: Set<String>, issuer: String = Self.issuer) throws -> String {
        let sample = AccessToken.sample(roles: [.doctor])
        let token = AccessToken(
            account: sample.account, tenant: sample.tenant, roles: sample.roles, session: sample.session,
            location: sample.location, zone: sample.zone, currency: sample.currency, patient: nil,
            issuedAt: sample.issuedAt, expiresAt: sample.expiresAt,
            grant: Grant(client: "a-client", scopes: scopes, services: services))
        return try TokenMint(key: key, publicIssuer: issuer).sign(token)
    }

    @LoopActor private func principal(
        _ token: String, at service: String, forCards: Bool = false, publicIssuer: String? = Self.issuer
    ) throws -> Principal {
        let verifier = TokenVerifier(
            keys: KeySet([key.verifying]), revocations: Revocations(), service: service, publicIssuer: publicIssuer)
        let asked = Request(method: "GET", path: "/", headers: [("authorization", "Bearer \(token)")])
        return try verifier.principal(of: asked, at: now, forCards: forCards)
    }

    @Test func `A token for one service is refused by the others`() async throws {
        let token = try token([.clinicalRead], ["clinical"])
        try await onLoop {
            let caller = try principal(token, at: "clinical")
            #expect(caller.grant?.client == "a-client")
            for other in ["auth", "scheduling", "billing", "reporting", ""] {
                #expect(throws: TokenRefusal.invalid) { try principal(token, at: other) }
            }
            // Cards travel with the token of whoever asked, whomever that token is for.
            #expect(try principal(token, at: "scheduling", forCards: true).may(.readCards))
        }
    }

    @Test func `A scope opens what it names, as far as the roles go`() async throws {
        let token = try token([.clinicalRead, .billingWrite], ["clinical", "billing"])
        try await onLoop {
            let caller = try principal(token, at: "clinical")
            #expect(caller.may(.readPatients) && caller.may(.readVisits))
            #expect(!caller.may(.prescribe), "a doctor may, but the client may not")
            #expect(!caller.may(.takePayment), "the client may, but a doctor may not")
            #expect(!caller.may(.signedIn), "what is the person's own is in no scope")
        }
    }

    @Test func `A permission that nobody may give away is in no scope`() {
        let given = Scope.allCases.reduce(into: Set<Permission>()) { $0.formUnion($1.permissions) }
        #expect(given.isDisjoint(with: [.anyone, .signedIn, .manageTenants, .readCards]))
        for scope in Scope.allCases where !scope.permissions.isEmpty { #expect(scope.service != nil) }
    }

    @Test func `Issuer, audience and client go together`() async throws {
        let foreign = try token([.clinicalRead], ["clinical"], issuer: "https://evil.example")
        let named = try token([.clinicalRead], ["clinical"])
        let nobody = try token([.openid], [])
        try await onLoop {
            #expect(throws: TokenRefusal.invalid) { try principal(foreign, at: "clinical") }
            #expect(throws: TokenRefusal.invalid) { try principal(named, at: "clinical", publicIssuer: nil) }
            #expect(throws: TokenRefusal.invalid) { try principal(nobody, at: "clinical") }
        }
        for (name, value) in [
            ("client_id", JSONValue.string("a-client")), ("scope", .string("clinical.read")),
            ("iss", .string(Self.issuer)), ("aud", .array([.string("urn:polyclinic:clinical")])),
            ("aud", .string("urn:polyclinic:clinical")),
        ] {
            // A first-party token with one sign of another kind is neither.
            var forgery = Forgery(keyID: key.verifying.id)
            forgery.claims[name] = value
            let text = try forgery.token(by: key)
            _ = try await onLoop { #expect(throws: TokenRefusal.invalid) { try principal(text, at: "clinical") } }
        }
    }

    @Test func `An ID token is no access token`() async throws {
        let sample = AccessToken.sample()
        var json = JSONWriter()
        sample.write(claims: &json, issuer: TokenVerifier.issuer, audience: TokenVerifier.audience)
        let token = try TokenMint(key: key).sign(idToken: json.bytes)
        _ = try await onLoop { #expect(throws: TokenRefusal.invalid) { try principal(token, at: "clinical") } }
    }

    @Test func `A session that ended takes its tokens with it, and no other's`() async throws {
        let made = AccessToken.sample()
        let mine = try TokenMint(key: key).sign(made)
        let other = try TokenMint(key: key).sign(.sample(account: made.account))
        try await onLoop {
            let revocations = Revocations()
            let verifier = TokenVerifier(keys: KeySet([key.verifying]), revocations: revocations)
            func asked(_ token: String) -> Request {
                Request(method: "GET", path: "/", headers: [("authorization", "Bearer \(token)")])
            }
            _ = try verifier.principal(of: asked(mine), at: now)
            revocations.revoke(made.session, before: now.adding(seconds: 1))
            #expect(throws: TokenRefusal.revoked) { try verifier.principal(of: asked(mine), at: now) }
            _ = try verifier.principal(of: asked(other), at: now)
            revocations.forget(before: now.adding(seconds: 2))
            #expect(revocations.count == 0)
        }
    }

    @Test func `A key that comes later is learnt, a key that goes is forgotten`() async throws {
        let next = try SigningKey.generate()
        let token = try TokenMint(key: next).sign(.sample())
        try await onLoop {
            let verifier = TokenVerifier(keys: KeySet([key.verifying]), revocations: Revocations())
            let asked = Request(method: "GET", path: "/", headers: [("authorization", "Bearer \(token)")])
            #expect(throws: TokenRefusal.invalid) { try verifier.principal(of: asked, at: now) }
            verifier.reloadKeys = {
                verifier.pin(KeySet([key.verifying, next.verifying]))
                return true
            }
            _ = try verifier.principal(of: asked, at: now)
            verifier.reloadKeys = nil
            verifier.pin(KeySet([key.verifying]))
            #expect(throws: TokenRefusal.invalid) { try verifier.principal(of: asked, at: now) }
        }
    }
}
