import Bootstrap
import Cryptography
import HTTP
import Postgres
import Primitives

/// What we keep in a browser: one secret that binds attempts to it, one that says who is signed in.
///
/// `__Host-` cookies go to this origin only and cannot be set by a neighbour; `Lax`, because a client's link must
/// find its person signed in. Forms carry a token made from the first secret, so another site's form has none.
struct Browser: Sendable {
    private static let binding = "__Host-polyclinic-browser"
    private static let session = "__Host-polyclinic-session"
    private let keys: RotatingKeys
    private let origin: String

    init(keys: RotatingKeys, publicURL: String) {
        self.keys = keys
        origin = publicURL
    }

    /// The secret that attempts are bound to.
    func secret(of request: Request) -> String? { Self.cookie(Self.binding, request) }

    func sessionHash(of request: Request) -> Bytes? { Self.cookie(Self.session, request).map(Self.hash) }

    static func hash(_ secret: String) -> Bytes { Bytes(SHA256.digest([UInt8](secret.utf8))) }

    static func fresh() -> String { Base64URL.encode(Random.bytes(32)) }

    static func bind(_ secret: String) -> (name: String, value: String) {
        ("Set-Cookie", "\(binding)=\(secret); Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    static func signIn(_ secret: String, seconds: Int64) -> (name: String, value: String) {
        ("Set-Cookie", "\(session)=\(secret); Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=\(seconds)")
    }

    static let signOut = (
        name: "Set-Cookie", value: "\(session)=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    )

    // MARK: forms

    /// What a form must carry: known to this browser and for this purpose only.
    func formToken(_ secret: String, _ purpose: String) -> String {
        Base64URL.encode(chain.authenticate(Self.form(secret, purpose)))
    }

    private var chain: KeyChain { keys.keys(for: "sign-in forms") }

    private static func form(_ secret: String, _ purpose: String) -> [UInt8] { [UInt8]("\(purpose)|\(secret)".utf8) }

    /// Whether a form was sent from our own page in the browser it was made for.
    func isOurs(_ request: Request, token: String?, secret: String, purpose: String) -> Bool {
        if let sender = request.header("origin"), sender != origin { return false }
        if let site = request.header("sec-fetch-site"), site != "same-origin" { return false }
        guard let token, let code = Base64URL.decode(token) else { return false }
        return chain.isAuthentic(code, of: Self.form(secret, purpose))
    }

    /// One cookie; nil when it is missing, there twice, or no secret of ours.
    private static func cookie(_ name: String, _ request: Request) -> String? {
        var found: String?
        for header in request.headers where header.name == "cookie" {
            for pair in header.value.split(separator: ";") {
                let trimmed = pair.drop { $0 == " " }
                guard trimmed.hasPrefix(name + "=") else { continue }
                guard found == nil else { return nil }
                found = String(trimmed.dropFirst(name.count + 1))
            }
        }
        guard let found, Base64URL.decode(found)?.count == 32 else { return nil }
        return found
    }
}
