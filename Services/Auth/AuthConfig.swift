import Access
import Bootstrap
import Cryptography

/// What an operator may change without a build.
struct AuthConfig: ServiceConfig {
    let host: HostConfig
    let signingKey: SigningKey
    /// Where it is read again from.
    let signingKeyFile: String
    /// What passwords and recovery codes are hashed with besides; the first of them makes new hashes.
    let peppers: RotatingKeys
    /// What addresses are found by, and what cookies, forms and requests for codes are made with. Keys of their own, so
    /// that a master key can be taken out of use; where there is no file of them, the oldest master key, as it was before
    /// there were such files. `rotate-index-key` makes them exchangeable.
    let indexKeys: RotatingKeys
    /// What a deactivated account could do elsewhere while an event travels; so minutes, not hours.
    let accessTokenLife: Duration
    let staffSessionLife: Duration
    let patientSessionLife: Duration
    /// How long staff may do nothing and stay signed in.
    let staffIdle: Duration
    /// How long a rotated refresh token still answers with its successor: two tabs, or an answer lost on its way.
    let refreshGrace: Duration
    let throttle: LoginThrottle
    let addressThrottle: LoginThrottle
    /// With wrong passwords for so many accounts of a clinic within a quarter of an hour somebody is trying them all.
    let sprayedAccounts: Int
    let passwords: PasswordPolicy
    /// Raised when machines get faster: hashes of older parameters are replaced as their owners sign in.
    let passwordPasses: Int
    let passwordMemoryMiB: Int
    let staffFactorByDefault: Bool
    let party: RelyingParty
    /// Where codes by e-mail and text message leave; without one, signing up and resetting are not offered.
    let messages: CodeSender.Gateway?

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "auth")
        let pepperFile = read.keyChain("PASSWORD_PEPPER_FILE")
        peppers = RotatingKeys(pepperFile.chain, file: pepperFile.file)
        let indexKeyFile = read.optionalKeyChain("INDEX_KEY_FILE")
        indexKeys = RotatingKeys(indexKeyFile?.chain ?? KeyChain(host.masterKey), file: indexKeyFile?.file)
        accessTokenLife = read.seconds("AUTH_ACCESS_TOKEN_SECONDS", default: 600, in: 60...900)
        staffSessionLife = read.seconds("AUTH_STAFF_SESSION_SECONDS", default: 43_200, in: 900...86_400)
        patientSessionLife = read.seconds("AUTH_PATIENT_SESSION_SECONDS", default: 2_592_000, in: 900...7_776_000)
        // NIST SP 800-63B 4.2.3: after half an hour of inactivity a member of staff signs in again.
        staffIdle = read.seconds("AUTH_STAFF_IDLE_SECONDS", default: 1800, in: 300...86_400)
        refreshGrace = read.seconds("AUTH_REFRESH_GRACE_SECONDS", default: 10, in: 0...60)
        throttle = LoginThrottle(limit: read.int("AUTH_LOGIN_FAILURES", default: 10, in: 3...100))
        // A clinic's staff may share one address, so it bears many more.
        addressThrottle = LoginThrottle(
            limit: read.int("AUTH_LOGIN_FAILURES_PER_ADDRESS", default: 100, in: 10...10_000), slowsFrom: .max)
        sprayedAccounts = read.int("AUTH_SPRAYED_ACCOUNTS", default: 30, in: 3...100_000)
        passwordPasses = read.int("AUTH_PASSWORD_PASSES", default: 1, in: 1...10)
        passwordMemoryMiB = read.int("AUTH_PASSWORD_MEMORY_MIB", default: 46, in: 19...1024)
        staffFactorByDefault =
            read.choice(
                "AUTH_STAFF_MFA", of: ["required", "optional"],
                default: host.profile == .production ? "required" : "optional") == "required"
        messages = Self.gateway(&read)
        // Outside the demo there is no sensible default: passkeys are bound to the clinic's own domain.
        let isDemo = host.profile == .demo
        party = RelyingParty(
            id: read.text("AUTH_PASSKEY_DOMAIN", default: isDemo ? "localhost" : "polyclinic.invalid"),
            origins: read.text("AUTH_PASSKEY_ORIGINS", default: isDemo ? "http://localhost:*" : "")
                .split(separator: ",").map(String.init))
        passwords = PasswordPolicy(breached: Self.breachList(&read))
        signingKeyFile = read.optionalText("JWT_PRIVATE_KEY_FILE") ?? ""
        signingKey = try Self.signingKey(&read, published: host.publicKeys)
        try read.finish()
    }

    private static func gateway(_ read: inout EnvironmentReader) -> CodeSender.Gateway? {
        let token = read.optionalSecret("AUTH_MESSAGE_TOKEN_FILE")
        guard let url = read.optionalText("AUTH_MESSAGE_URL") else { return nil }
        guard let gateway = CodeSender.Gateway(url: url, token: token) else {
            read.refuse("AUTH_MESSAGE_URL", "must be an https address, or an http address of this machine")
            return nil
        }
        return gateway
    }

    private static func breachList(_ read: inout EnvironmentReader) -> BreachList {
        guard let path = read.optionalText("BREACH_LIST_FILE"), !read.isDescribing else { return BreachList() }
        guard let list = BreachList(file: path) else {
            read.refuse("BREACH_LIST_FILE", "must name a file that can be read")
            return BreachList()
        }
        return list
    }

    private static func signingKey(_ read: inout EnvironmentReader, published: KeySet) throws -> SigningKey {
        let pem = read.secret("JWT_PRIVATE_KEY_FILE")
        guard !read.isDescribing, !pem.text.isEmpty else { return try .generate() }
        guard let key = try? SigningKey(pem: [UInt8](pem.text.utf8)) else {
            read.refuse("JWT_PRIVATE_KEY_FILE", "must name an unencrypted PEM private key on P-256")
            return try .generate()
        }
        if published[key.verifying.id] == nil {
            read.refuse("JWT_PRIVATE_KEY_FILE", "holds a key that JWT_PUBLIC_KEYS_FILE does not publish")
        }
        return key
    }
}
