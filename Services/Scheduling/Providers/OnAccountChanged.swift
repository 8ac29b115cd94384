import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// A doctor's account is a practitioner who can be booked, as long as it is both a doctor's and active.
///
/// The four events travel in four queues and may overtake each other, so each only updates its half of the
/// account's card and the directory is then made to say what the whole card says.
extension Reaction {
    static let listProvider = Reaction(
        to: AccountCreated.self, named: "scheduling.list-provider"
    ) { created, envelope, tx in
        let cards = CardStore(sql: tx)
        try await cards.remember(tenant: envelope.tenant)
        try await cards.remember(
            created.accountID, isDoctor: created.roles.contains("doctor"), at: created.locationID,
            zone: created.zone, name: created.professionalName, revision: envelope.revision)
        try await list(created.accountID, in: tx)
    }

    static let relistProvider = Reaction(
        to: AccountRolesChanged.self, named: "scheduling.relist-provider"
    ) { changed, envelope, tx in
        try await CardStore(sql: tx).remember(
            changed.accountID, isDoctor: changed.roles.contains("doctor"), at: changed.locationID,
            zone: changed.zone, name: changed.professionalName, revision: envelope.revision)
        try await list(changed.accountID, in: tx)
    }

    static let retireProvider = Reaction(
        to: AccountDeactivated.self, named: "scheduling.retire-provider"
    ) { deactivated, envelope, tx in
        try await CardStore(sql: tx).remember(
            deactivated.accountID, active: false, revision: envelope.revision)
        try await list(deactivated.accountID, in: tx)
    }

    static let reinstateProvider = Reaction(
        to: AccountReactivated.self, named: "scheduling.reinstate-provider"
    ) { reactivated, envelope, tx in
        try await CardStore(sql: tx).remember(
            reactivated.accountID, active: true, revision: envelope.revision)
        try await list(reactivated.accountID, in: tx)
    }

    /// Somebody has looked at the licence: bookable until its last day.
    static let licenseProvider = Reaction(
        to: LicenceVerified.self, named: "scheduling.license-provider"
    ) { verified, envelope, tx in
        try await CardStore(sql: tx).remember(
            verified.accountID, licensedUntil: verified.validUntil, revision: envelope.revision)
        try await list(verified.accountID, in: tx)
    }

    /// Nobody books them any more; what is booked stays until somebody moves it.
    static let unlicenseProvider = Reaction(
        to: LicenceWithdrawn.self, named: "scheduling.unlicense-provider"
    ) { withdrawn, envelope, tx in
        try await CardStore(sql: tx).remember(withdrawn.accountID, licensedUntil: nil, revision: envelope.revision)
        try await list(withdrawn.accountID, in: tx)
    }

    @LoopActor private static func list(_ account: AccountID, in tx: Transaction) async throws {
        let store = ProviderStore(sql: tx)
        if let retired = try await store.retire(account) {
            let fact = ProviderRetired(providerID: retired.id, accountID: retired.account)
            return try tx.announce(fact, revision: retired.version)
        }
        guard let provider = try await store.project(account, newID: ProviderID()) else { return }
        try tx.announce(
            ProviderListed(
                providerID: provider.id, accountID: provider.account, locationID: provider.location,
                zone: provider.zone),
            revision: provider.version)
    }
}

extension Reaction {
    /// The directory shows whether a practitioner is there.
    static let showPresence = Reaction(
        to: PresenceChanged.self, named: "scheduling.show-presence"
    ) { changed, envelope, tx in
        guard let presence = Practitioner.Presence(rawValue: changed.status) else { throw Redelivery.reject }
        try await ProviderStore(sql: tx).show(
            presence, until: changed.until, of: changed.providerID, revision: envelope.revision)
    }
}
