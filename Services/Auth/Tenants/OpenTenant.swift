import Access
import Bootstrap
import Contracts
import Cryptography
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The command that opens a tenant: the organisation, its first site, its first administrator.
///
/// Running it again finds what is there by name and changes nothing, so scripts may repeat it.
@LoopActor struct OpenTenant {
    let host: Host
    let vaults: Vaults
    let emailIndex: EmailIndex
    let hashing: PasswordHash
    let passwords: PasswordPolicy

    nonisolated var command: Command {
        Command(
            "bootstrap-tenant",
            help: """
                open a tenant: --name N --location-name L --zone Asia/Kolkata --currency INR \
                --admin-email A --admin-password-file F
                """
        ) { arguments in try await self.run(arguments) }
    }

    /// What the command was told, checked.
    struct Order {
        let name: String
        let location: Location
        let email: EmailAddress
        let password: String
    }

    func run(_ arguments: [String]) async throws -> Int32 {
        guard let order = order(arguments) else { return 64 }
        do {
            let (tenant, location) = try await open(order)
            print("tenant=\(tenant)\nlocation=\(location)")
            return 0
        } catch AccountError.emailTaken {
            complain("bootstrap-tenant", ["An account has this e-mail address already, in this or another tenant."])
            return 1
        }
    }

    func open(_ order: Order) async throws -> (TenantID, LocationID) {
        let hashing = hashing
        let hash = try await host.blocking.run { try hashing.make(order.password) }
        let known = try await host.db.systemTransaction { tx in try await TenantStore(sql: tx).find(named: order.name) }
        let tenant = known ?? TenantID()
        return try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            let now = host.now()
            if known == nil {
                try await TenantStore(sql: tx).insert(tenant, named: order.name, at: now)
                _ = try await vaults.make(for: tenant, tx)
                try tx.announce(TenantOpened(tenantID: tenant), revision: 1)
                try tx.audit("create", "tenant", tenant.description)
            }
            let location = try await location(order, at: now, tx)
            let index = emailIndex(order.email)
            if try await CredentialStore(sql: tx).find(index)?.tenant != tenant {
                let admin = try Account.create(
                    name: "Administrator", email: order.email, roles: [.admin], location: location, patient: nil, at: now)
                try await CreateAccount(vaults: vaults, emailIndex: emailIndex)(
                    admin, email: order.email, passwordHash: hash, in: tenant, tx)
            }
            return (tenant, location)
        }
    }

    private func location(_ order: Order, at now: Timestamp, _ tx: Transaction) async throws -> LocationID {
        let store = LocationStore(sql: tx)
        if let known = try await store.find(named: order.location.name) { return known.id }
        try await store.insert(order.location, at: now)
        try tx.announce(LocationOpened(order.location), revision: 1)
        try tx.audit("create", "location", order.location.id.description, after: order.location.audited)
        return order.location.id
    }

    /// Nil after saying everything that is wrong.
    private func order(_ arguments: [String]) -> Order? {
        var options = Options(
            arguments, allowed: ["name", "location-name", "zone", "currency", "admin-email", "admin-password-file"])
        let name = options.required("name")
        let site = options.required("location-name")
        let zone = options.required("zone")
        let currency = Currency(options.required("currency"))
        let email = EmailAddress(options.required("admin-email"))
        let file = options.required("admin-password-file")
        var mistakes = options.mistakes
        let password = KeyFile.read(file).map { String(decoding: $0, as: UTF8.self).filter { !$0.isNewline } } ?? ""
        if currency == nil { mistakes.append("--currency must be an ISO 4217 code such as INR.") }
        if Zone(zone) == nil { mistakes.append("--zone must be a name of the IANA tz database.") }
        if email == nil { mistakes.append("--admin-email must be an e-mail address.") }
        do { try passwords.check(password, address: email?.text ?? "", hasSecondFactor: false) } catch {
            let detail = error.fieldError("").detail
            mistakes.append("--admin-password-file must name a file with a password of 15 to 128 characters. \(detail)")
        }
        guard mistakes.isEmpty, let currency, let email,
            let location = try? Location.open(name: site, zone: zone, currency: currency)
        else {
            complain("bootstrap-tenant", mistakes)
            return nil
        }
        return Order(name: name, location: location, email: email, password: password)
    }
}
