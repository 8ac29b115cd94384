import Access
import Bootstrap
import Contracts
import Cryptography
import Loop

/// Auth decides who you are and what you may do.
@main
enum AuthService {
    static func main() {
        Bootstrap.run(AuthConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers and announces.
    @LoopActor static func describe(_ config: AuthConfig, _ host: Host) -> Service {
        let vaults = Vaults(masterKey: config.host.masterKey)
        let emailIndex = EmailIndex(masterKey: config.host.masterKey)
        let hashing = PasswordHash(
            pepper: config.pepper, passes: config.passwordPasses, memoryMiB: config.passwordMemoryMiB)
        let policy = SecurityPolicy(staffFactorByDefault: config.staffFactorByDefault)
        let factor = SecondFactor(
            host: host, vaults: vaults, policy: policy, recoveryKey: config.pepper.derived(for: "recovery codes"))
        let issuer = TokenIssuer(mint: TokenMint(key: config.signingKey), life: config.accessTokenLife)
        let signIn = SignIn(
            host: host, config: config, vaults: vaults, emailIndex: emailIndex, hashing: hashing, issuer: issuer,
            factor: factor,
            devices: KnownDevice(masterKey: config.host.masterKey, isSecure: config.host.profile == .production))
        let refreshing = RefreshSession(
            host: host, grace: config.refreshGrace, issuer: issuer,
            successorKey: config.host.masterKey.derived(for: "refresh token successors"))

        let sessions = SessionRoutes(
            host: host, signIn: signIn, refreshing: refreshing, vaults: vaults, hashing: hashing,
            keys: config.host.publicKeys, passwords: config.passwords)
        let accounts = AccountRoutes(
            host: host, vaults: vaults, emailIndex: emailIndex, hashing: hashing, passwords: config.passwords)
        let factors = FactorRoutes(
            host: host, factor: factor, vaults: vaults, staffSessionLife: config.staffSessionLife)
        let passkeys = Passkeys(
            host: host, party: config.party,
            challenges: Challenges(key: config.host.masterKey.derived(for: "passkey challenges")))
        let passkeyRoutes = PasskeyRoutes(host: host, passkeys: passkeys, factors: factors, signIn: signIn)
        let stepUp = StepUpRoutes(
            host: host, config: config, factor: factor, passkeys: passkeys, emailIndex: emailIndex, hashing: hashing, issuer: issuer)
        let locations = LocationRoutes(host: host)
        let opening = OpenTenant(host: host, vaults: vaults, emailIndex: emailIndex, hashing: hashing)
        let sweeper = SessionSweeper(host: host)

        return Service(
            name: "auth",
            migrations: [
                Migration("0001_tenants", PackageResources._001_tenants_sql),
                Migration("0002_accounts", PackageResources._002_accounts_sql),
                Migration("0003_sessions", PackageResources._003_sessions_sql),
                Migration("0004_login_failures", PackageResources._004_login_failures_sql),
                Migration("0010_session_ends", PackageResources._010_session_ends_sql),
                Migration("0020_factors", PackageResources._020_factors_sql),
                Migration("0021_passkeys", PackageResources._021_passkeys_sql),
            ],
            routes: sessions.table + accounts.table + locations.table + factors.table + stepUp.table
                + passkeyRoutes.table + PolicyRoutes(host: host, policy: policy).table,
            announces: [
                TenantOpened.self, LocationOpened.self, AccountCreated.self, AccountRolesChanged.self,
                AccountDeactivated.self, AccountReactivated.self,
            ],
            workers: [sweeper.worker],
            commands: [opening.command, GenerateKeys.command])
    }
}
