import Access
import Cryptography
import HTTP
import JSON
import Primitives

/// `PublicKeyCredentialCreationOptions` (WebAuthn 5.4) with bytes in base64url, as `parseCreationOptionsFromJSON` reads.
struct RegistrationOptions: JSONWritable {
    let challenge: [UInt8]
    let party: RelyingParty
    let user: UserHandle
    let account: Account
    let known: [Passkey]

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("challenge", Base64URL.encode(challenge))
            $0.object("rp") {
                $0.field("id", party.id)
                $0.field("name", "Polyclinic")
            }
            $0.object("user") {
                $0.field("id", Base64URL.encode(user.bytes))
                $0.field("name", account.email)
                $0.field("displayName", account.name)
            }
            $0.array("pubKeyCredParams", PasskeyKey.algorithms) { json, algorithm in
                json.object {
                    $0.field("type", "public-key")
                    $0.field("alg", algorithm)
                }
            }
            $0.array("excludeCredentials", known) { json, passkey in
                json.object {
                    $0.field("type", "public-key")
                    $0.field("id", Base64URL.encode(passkey.credential))
                }
            }
            $0.object("authenticatorSelection") {
                $0.field("residentKey", "required")
                $0.field("requireResidentKey", true)
                $0.field("userVerification", "required")
            }
            $0.field("attestation", "none")
            $0.field("timeout", Challenges.life * 1000)
        }
    }
}

/// `PublicKeyCredentialRequestOptions` (WebAuthn 5.5): no list of credentials, so it says nothing about anybody.
struct AssertionOptions: JSONWritable {
    let challenge: [UInt8]
    let party: RelyingParty

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("challenge", Base64URL.encode(challenge))
            $0.field("rpId", party.id)
            $0.field("userVerification", "required")
            $0.field("timeout", Challenges.life * 1000)
        }
    }
}

struct PasskeyView: JSONWritable {
    let passkey: Passkey

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", passkey.id)
            $0.field("createdAt", passkey.createdAt)
            $0.field("lastUsedAt", passkey.lastUsedAt)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("createdAt", .instant), .optional("lastUsedAt", .instant),
    ])
}

struct RegisteredView: JSONWritable {
    let id: PasskeyID
    let codes: RecoveryCodesView

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("recoveryCodes", codes.codes.map(\.text))
        }
    }
}

extension Passkeys {
    static let assertionFields: [Schema.Field] = [
        .required("credentialId", .text(max: 1400), "`rawId`"),
        .required("clientDataJSON", .text(max: 6000)), .required("authenticatorData", .text(max: 6000)),
        .required("signature", .text(max: 200)),
    ]
}

extension PasskeyRoutes {
    static let optionsDocs = Route.Docs(
        "Begin to register a passkey: the options for `navigator.credentials.create` (bytes in base64url)",
        answers: [(200, .any)])

    static let registerDocs = Route.Docs(
        "Register the passkey that was made. Refresh afterwards: the session is worth two factors then",
        body: .object([
            .required("clientDataJSON", .text(max: 6000)), .required("attestationObject", .text(max: 24_000)),
        ]),
        answers: [
            (
                201,
                .object([
                    .required("id", .id),
                    .required("recoveryCodes", .list(of: .text(max: 19), max: RecoveryCode.count), "Shown once; empty when there are some already"),
                ])
            )
        ],
        problems: ["passkey_invalid", "passkey_registered", "passkey_unsupported", "too_many_passkeys"])

    static let listDocs = Route.Docs(
        "List the caller's passkeys",
        answers: [(200, .object([.required("items", .list(of: PasskeyView.schema, max: 20)), .optional("nextCursor", .text(max: 500))]))])

    static let removeDocs = Route.Docs(
        "Remove a passkey", answers: [(204, nil)], problems: ["factor_required", "password_too_short"])

    static let challengeDocs = Route.Docs(
        "Begin to sign in with a passkey: the options for `navigator.credentials.get` (bytes in base64url)",
        answers: [(200, .any)])

    static let signInDocs = Route.Docs(
        "Sign in with a passkey: two factors in one",
        body: .object(Passkeys.assertionFields + [.required("userHandle", .text(max: 100))]),
        answers: [(200, .object(TokenPair.fields + [.required("user", SignedInUser.schema)]))],
        problems: ["passkey_invalid"])
}
