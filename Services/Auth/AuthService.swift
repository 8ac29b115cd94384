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
            factor: factor)
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
        let stepUp = StepUpRoutes(
            host: host, config: config, factor: factor, emailIndex: emailIndex, hashing: hashing, issuer: issuer)
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
            ],
            routes: sessions.table + accounts.table + locations.table + factors.table + stepUp.table
                + PolicyRoutes(host: host, policy: policy).table,
            announces: [
                TenantOpened.self, LocationOpened.self, AccountCreated.self, AccountRolesChanged.self,
                AccountDeactivated.self, AccountReactivated.self,
            ],
            workers: [sweeper.worker],
            commands: [opening.command, GenerateKeys.command])
    }
}
