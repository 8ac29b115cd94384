import Access
import Cryptography
import Loop
import Postgres

/// A service's configuration: what an operator may change without a build.
package protocol ServiceConfig: Sendable {
    var host: HostConfig { get }
    /// Reads every variable before failing, so one restart reports every mistake.
    init(environment: Environment) throws
}

/// What every process of the suite is told.
package struct HostConfig: Sendable {
    package enum Profile: String, Sendable { case demo, production }

    package let service: String
    package let profile: Profile
    package let logLevel: LogLevel

    /// Where requests are answered, and where health and metrics are.
    package let address: String
    package let port: Int
    package let healthAddress: String
    package let healthPort: Int
    /// Requests that may be in progress at once; one more is answered 503.
    package let requestLimit: Int
    /// Requests a second that one account may make over a while; 0 is any number. Above it 429.
    package let accountRate: Int
    /// Whose `X-Forwarded-For` is believed: the gateway's addresses.
    package let trustedProxies: [AddressBlock]
    /// What `OutboundClient` may reach although it is not on the public internet.
    package let outboundAllowed: [AddressBlock]

    package let postgres: Database.Configuration
    package let redis: Redis
    package let broker: Broker
    /// The keys that tokens are verified with.
    package let publicKeys: KeySet
    /// Where they are read again from: keys come and go while a process lives.
    package let publicKeysFile: String
    /// The gateway as clients see it, without a slash at the end: who issues tokens to clients (OpenID Connect).
    package let publicURL: String
    /// Wrap tenants' keys and seal stored answers; every use derives its own key from them. Read again when their file
    /// changes.
    package let masterKeys: RotatingKeys
    /// The oldest of them: what auth hashes with where it has no index key of its own.
    package let masterKey: SymmetricKey
    /// Where the other services answer: for cards.
    package let services: [String: String]

    /// How long to keep serving after readiness is withdrawn.
    package let drain: Duration
    /// How long requests in progress may take to finish after that.
    package let grace: Duration

    package struct Redis: Sendable {
        package let host: String
        package let port: Int
        package let password: Secret?
    }

    package struct Broker: Sendable {
        package let host: String
        package let port: Int
        package let virtualHost: String
        package let user: String
        package let password: Secret
        /// Whose certificates are believed; nil is a connection in clear.
        package let authorityFile: String?
    }

    /// `writeConnections`: how many transactions at once pay, unless the operator says otherwise. More let commits share a flush,
    /// fewer wait less for a row that all of them want (docs/benchmarks-findings.md).
    package init(_ read: inout EnvironmentReader, service: String, writeConnections: Int = 8) {
        self.service = service
        let isProduction = read.choice("POLYCLINIC_PROFILE", of: ["demo", "production"]) == "production"
        profile = isProduction ? .production : .demo
        logLevel =
            LogLevel(rawValue: read.choice("LOG_LEVEL", of: LogLevel.allCases.map(\.rawValue), default: "info"))
            ?? .info
        address = read.text("BIND_ADDRESS", default: isProduction ? "0.0.0.0" : "127.0.0.1")
        port = read.int("PORT", in: 0...65_535)
        healthAddress = read.text("HEALTH_ADDRESS", default: address)
        healthPort = read.int("HEALTH_PORT", in: 0...65_535)
        requestLimit = read.int("REQUEST_LIMIT", default: 2_000, in: 1...100_000)
        accountRate = read.int("ACCOUNT_RATE", default: isProduction ? 50 : 0, in: 0...100_000)
        trustedProxies = read.addresses("TRUSTED_PROXIES", default: "127.0.0.0/8,::1")
        outboundAllowed = read.addresses("OUTBOUND_ALLOWED", default: "")
        let databasePassword: Secret
        var database = Database.Configuration(
            host: read.text("POSTGRES_HOST"), port: read.int("POSTGRES_PORT", default: 5432, in: 1...65_535),
            database: read.text("POSTGRES_DATABASE", default: "polyclinic"),
            user: read.text("POSTGRES_USER", default: "polyclinic_\(service)"),
            password: "",
            schema: read.text("POSTGRES_SCHEMA", default: service),
            readConnections: read.int("POSTGRES_READ_CONNECTIONS", default: 2, in: 1...16),
            writeConnections: read.int("POSTGRES_WRITE_CONNECTIONS", default: writeConnections, in: 1...64))
        databasePassword = read.secret("POSTGRES_PASSWORD_FILE")
        database.password = databasePassword.text
        database.passwordNow = { databasePassword.current }
        database.authorityFile = read.optionalPath("POSTGRES_CA_FILE")
        postgres = database
        redis = Redis(
            host: read.text("REDIS_HOST"), port: read.int("REDIS_PORT", default: 6379, in: 1...65_535),
            password: read.optionalSecret("REDIS_PASSWORD_FILE"))
        let user = read.text("AMQP_USER")
        broker = Broker(
            host: read.text("AMQP_HOST"), port: read.int("AMQP_PORT", default: 5672, in: 1...65_535),
            virtualHost: read.text("AMQP_VHOST", default: "/"), user: user,
            password: read.secret("AMQP_PASSWORD_FILE"), authorityFile: read.optionalPath("AMQP_CA_FILE"))
        publicKeysFile = read.optionalText("JWT_PUBLIC_KEYS_FILE") ?? ""
        publicKeys = read.publicKeys("JWT_PUBLIC_KEYS_FILE")
        publicURL = read.publicURL("PUBLIC_URL")
        let keys = read.keyChain("MASTER_KEY_FILE")
        masterKeys = RotatingKeys(keys.chain, file: keys.file)
        masterKey = keys.chain.former.last ?? keys.chain.current
        services = read.table("SERVICE_URLS")
        drain = read.seconds("DRAIN_SECONDS", default: isProduction ? 5 : 0, in: 0...60)
        grace = read.seconds("GRACE_SECONDS", default: 15, in: 1...60)

        guard isProduction else { return }
        if user == "guest" { read.refuse("AMQP_USER", "must not be guest in production") }
        if postgres.password.utf8.count < 16 {
            read.refuse("POSTGRES_PASSWORD_FILE", "must hold at least 16 characters in production")
        }
        if postgres.authorityFile == nil, !Self.isHere(postgres.host) {
            read.refuse("POSTGRES_CA_FILE", "is required in production: the database is on another machine")
        }
        if broker.authorityFile == nil, !Self.isHere(broker.host) {
            read.refuse("AMQP_CA_FILE", "is required in production: the broker is on another machine")
        }
        if !Self.isHere(redis.host) {
            read.refuse("REDIS_HOST", "must be this machine in production: put stunnel beside it (docs/security)")
        }
    }

    /// A socket's folder or the loopback interface: nobody on a network listens in.
    private static func isHere(_ host: String) -> Bool {
        host.isEmpty || host.hasPrefix("/") || host == "localhost" || AddressBlock.isThisMachine(host)
    }

    /// What only a demonstration may do: seeding made-up patients, printing passwords.
    package func requireDemo() throws {
        if profile == .production { throw RefusedInProduction() }
    }
}

package struct RefusedInProduction: Error, CustomStringConvertible {
    package var description: String {
        "This is for demonstrations: it refuses to run where POLYCLINIC_PROFILE=production."
    }
}

extension EnvironmentReader {
    fileprivate mutating func publicURL(_ name: String) -> String {
        let url = text(name, default: "http://localhost:8080")
        let rest = url.hasPrefix("https://") ? url.dropFirst(8) : url.hasPrefix("http://") ? url.dropFirst(7) : ""
        // An origin and nothing more: cookies and addresses are made of it.
        if rest.isEmpty || rest.contains(where: { "/?#@ ".contains($0) }) {
            refuse(name, "must be an origin such as https://clinic.example, without a path")
        }
        return url
    }

    fileprivate mutating func publicKeys(_ name: String) -> KeySet {
        let document = fileText(name)
        guard !document.isEmpty, !isDescribing else { return KeySet([]) }
        do { return try KeySet(jwks: Array(document.utf8)) } catch {
            refuse(name, "must name a JWKS document with at least one ES256 key of ours")
            return KeySet([])
        }
    }
}
