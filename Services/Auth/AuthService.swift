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
        let vaults = Vaults(masterKeys: config.host.masterKeys)
        let emailIndex = EmailIndex(keys: config.indexKeys)
        let hashing = PasswordHash(
            peppers: { config.peppers.chain }, passes: config.passwordPasses, memoryMiB: config.passwordMemoryMiB)
        let policy = SecurityPolicy(staffFactorByDefault: config.staffFactorByDefault)
        let factor = SecondFactor(
            host: host, vaults: vaults, policy: policy, peppers: config.peppers)
        let signing = Signing(config, host)
        let settings = SettingsReader(config: config)
        let issuer = TokenIssuer(signing: signing, settings: settings, vaults: vaults)
        let notices = SecurityNotice(host: host, vaults: vaults, keys: config.indexKeys, isOffered: config.messages != nil)
        let signIn = SignIn(
            host: host, config: config, vaults: vaults, emailIndex: emailIndex, hashing: hashing, issuer: issuer,
            factor: factor,
            devices: KnownDevice(keys: config.indexKeys, isSecure: config.host.profile == .production),
            sprays: SprayWatch(host: host, emailIndex: emailIndex, threshold: config.sprayedAccounts), notices: notices)
        let refreshing = RefreshSession(
            host: host, grace: config.refreshGrace, issuer: issuer,
            keys: config.indexKeys, factor: factor)

        let guesses = GuessTally(host: host, config: config, emailIndex: emailIndex)
        let sessions = SessionRoutes(
            host: host, signIn: signIn, refreshing: refreshing, vaults: vaults, hashing: hashing,
            passwords: config.passwords, guesses: guesses)
        let accounts = AccountRoutes(
            host: host, vaults: vaults, emailIndex: emailIndex, hashing: hashing, notices: notices)
        let newPasswords = TemporaryPasswordRoutes(
            host: host, vaults: vaults, emailIndex: emailIndex, hashing: hashing, notices: notices)
        let factors = FactorRoutes(
            host: host, factor: factor, vaults: vaults, staffSessionLife: config.staffSessionLife, notices: notices)
        let contacts = ContactRoutes(
            host: host, signIn: signIn, passwords: config.passwords, keys: config.indexKeys, isOffered: config.messages != nil,
            notices: notices)
        let sender = CodeSender(host: host, emailIndex: emailIndex, keys: config.indexKeys, gateway: config.messages)
        let licences = LicenceRoutes(host: host, vaults: vaults)
        let passkeys = Passkeys(
            host: host, party: config.party, challenges: Challenges(keys: config.indexKeys))
        let passkeyRoutes = PasskeyRoutes(host: host, passkeys: passkeys, factors: factors, signIn: signIn)
        let stepUp = StepUpRoutes(
            host: host, factor: factor, passkeys: passkeys, guesses: guesses, hashing: hashing, issuer: issuer)
        let locations = LocationRoutes(host: host)
        let live = LiveSessionRoutes(host: host).table + ConsentRoutes(host: host).table
        let opening = OpenTenant(host: host, vaults: vaults, emailIndex: emailIndex, hashing: hashing, passwords: config.passwords)
        let clients = clients(config, host, signing, settings, signIn, refreshing, vaults, passkeys)
        let sweeper = SessionSweeper(host: host)
        let forgetting = ForgetPerson(host: host, vaults: vaults)

        return Service(
            name: "auth",
            migrations: [
                Migration("0001_tenants", PackageResources._001_tenants_sql),
                Migration("0002_accounts", PackageResources._002_accounts_sql),
                Migration("0003_sessions", PackageResources._003_sessions_sql),
                Migration("0004_login_failures", PackageResources._004_login_failures_sql),
                Migration("0010_session_ends", PackageResources._010_session_ends_sql),
                Migration("0011_clients", PackageResources._011_clients_sql),
                Migration("0012_authorization", PackageResources._012_authorization_sql),
                Migration("0020_factors", PackageResources._020_factors_sql),
                Migration("0021_passkeys", PackageResources._021_passkeys_sql),
                Migration("0022_contact_requests", PackageResources._022_contact_requests_sql),
                Migration("0023_licences", PackageResources._023_licences_sql),
                Migration("0040_erasure", PackageResources._040_erasure_sql),
                Migration("0055_licences_in_force", PackageResources._055_licences_in_force_sql),
                Migration("0056_temporary_passwords", PackageResources._056_temporary_passwords_sql),
                Migration("0075_allowed_origins", PackageResources._075_allowed_origins_sql),
                Migration("0077_idle", PackageResources._077_idle_sql),
                Migration("0080_attested_licences", PackageResources._080_attested_licences_sql),
                Migration("0081_contact_changes", PackageResources._081_contact_changes_sql),
                Migration("0082_proxies_of_children_end", PackageResources._082_proxies_of_children_end_sql),
                Migration("0083_consents_withdrawn", PackageResources._083_consents_withdrawn_sql),
                Migration("0092_index_keys", PackageResources._092_index_keys_sql),
                Migration("0093_last_days_sealed", PackageResources._093_last_days_sealed_sql),
            ],
            routes: sessions.table + live + accounts.table + newPasswords.table + locations.table + factors.table + stepUp.table
                + passkeyRoutes.table + licences.table + ProxyRoutes(host: host, vaults: vaults).table + contacts.table
                + clients + PolicyRoutes(host: host, policy: policy).table + OriginRoutes(host: host).table
                + [AccountNames(host: host, vaults: vaults).route, forgetting.export(), OwnExport(host: host, vaults: vaults).route],
            announces: [
                TenantOpened.self, LocationOpened.self, AccountCreated.self, AccountRolesChanged.self,
                AccountDeactivated.self, AccountReactivated.self, SessionEnded.self, LicenceVerified.self,
                LicenceWithdrawn.self, PasswordSprayNoticed.self,
            ],
            reactions: [forgetting.reaction],
            workers: [
                sweeper.worker, signing.worker, sender.worker, SealLastDays(host: host, vaults: vaults).worker,
            ],
            commands: [
                opening.command, GenerateKeys.command, RotateKeys(host: host, config: config).command,
                RotateDataKeys(host: host, own: .init(rewrap: vaults.rewrap)).command,
                PepperUse(host: host, hashing: hashing).command,
                RotateIndexKey(
                    host: host, vaults: vaults, emailIndex: emailIndex,
                    subjects: Subjects(vaults: vaults, keys: config.indexKeys)
                ).command,
            ])
    }

    /// The OpenID Connect provider: applications, the pages that people meet on their way to one, and tokens.
    @LoopActor private static func clients(
        _ config: AuthConfig, _ host: Host, _ signing: Signing, _ settings: SettingsReader, _ signIn: SignIn,
        _ refreshing: RefreshSession, _ vaults: Vaults, _ passkeys: Passkeys
    ) -> [Route] {
        let secrets = ClientSecrets(keys: config.indexKeys)
        let subjects = Subjects(vaults: vaults, keys: config.indexKeys)
        let browser = Browser(keys: config.indexKeys, publicURL: config.host.publicURL)
        let flow = SignInFlow(
            host: host, settings: settings, browser: browser, factor: signIn.factor,
            devices: signIn.devices, passkeys: passkeys)
        let tokens = ClientTokens(
            host: host, signing: signing, settings: settings, vaults: vaults, subjects: subjects)
        let authenticate = ClientAuthentication(host: host, secrets: secrets, settings: settings)
        return DiscoveryRoutes(host: host).table
            + AuthorizeRoutes(host: host, flow: flow, signIn: signIn, vaults: vaults, browser: browser).table
            + SecondFactorRoutes(host: host, flow: flow, signIn: signIn, browser: browser).table
            + EnrolmentRoutes(
                host: host, flow: flow, signIn: signIn, browser: browser, keys: config.indexKeys
            ).table
            + PasskeyPageRoutes(host: host, flow: flow, signIn: signIn, browser: browser).table
            + TokenRoutes(
                host: host, authenticate: authenticate, tokens: tokens, refreshing: refreshing, settings: settings
            ).table
            + UserInfoRoutes(host: host, vaults: vaults, subjects: subjects).table
            + LogoutRoutes(host: host, browser: browser, settings: settings).table
            + ClientRoutes(host: host, secrets: secrets, subjects: subjects, settings: settings).table
            + SettingsRoutes(host: host, settings: settings).table
    }
}
