import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// What was said about an appointment, as it is stored: sealed under the patient's key.
struct SealedText: Equatable, Sendable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Seals and opens what was said about appointments.
@LoopActor struct AppointmentWords {
    let host: Host
    let tenant: TenantID
    /// Learns whose words are opened; nil where nobody reads them.
    let trail: ReadTrail?

    /// The tenant's keys, when there is something to seal: ask before the transaction.
    func ring(toSeal text: String?) async throws -> KeyChain? {
        text == nil ? nil : try await host.keys.ring(for: tenant)
    }

    func seal(
        _ text: String?, _ column: Column, of appointment: AppointmentID, _ patient: PatientID, _ ring: KeyChain?,
        _ tx: Transaction
    ) async throws -> SealedText? {
        guard let text, let ring else { return nil }
        let vault = try await DataKeyStore(sql: tx).vaultForWriting(of: patient, in: tenant, ring)
        return try Self.seal(text, column, of: appointment, in: vault)
    }

    static func seal(
        _ text: String, _ column: Column, of appointment: AppointmentID, in vault: PatientVault
    ) throws -> SealedText {
        SealedText(try vault.seal(Array(text.utf8), "appointment", column.rawValue, row: appointment.description))
    }

    enum Column: String { case reason = "sealed_reason", cancelReason = "sealed_cancel_reason" }

    /// As `caller` reads them. Of an erased patient the words are gone, the appointment is not. `sql` sees the
    /// appointments: inside of a transaction, the transaction.
    func views(
        _ appointments: [Appointment], for caller: Principal, _ sql: any SQLSession
    ) async throws -> [AppointmentView] {
        var audience = try await audience(of: caller, sql)
        if !audience.isEverybodys {
            audience.restricted = try await CardStore(sql: sql).restricted(appointments.map(\.patient))
        }
        let spoken = Set(
            appointments.filter { audience.hears($0) && ($0.reason != nil || $0.cancelReason != nil) }.map(\.patient))
        var vaults: [PatientID: PatientVault] = [:]
        if !spoken.isEmpty, let ring = try await host.keys.existing(tenant) {
            vaults = try await DataKeyStore(sql: sql).vaults(
                of: Array(spoken), in: tenant, ring, leaving: trail)
        }
        return try appointments.map { appointment in
            let vault = audience.hears(appointment) ? vaults[appointment.patient] : nil
            func open(_ text: SealedText?, _ column: Column) throws -> String? {
                guard let text, let vault else { return nil }
                return String(
                    decoding: try vault.open(
                        text.bytes, "appointment", column.rawValue, row: appointment.id.description), as: UTF8.self)
            }
            return AppointmentView(
                appointment: appointment, reason: try open(appointment.reason, .reason),
                cancelReason: try open(appointment.cancelReason, .cancelReason), isVeiled: audience.isVeiled(appointment))
        }
    }

    func view(
        _ appointment: Appointment, for caller: Principal, _ sql: any SQLSession
    ) async throws -> AppointmentView {
        let views = try await views([appointment], for: caller, sql)
        return views.first ?? AppointmentView(appointment: appointment, reason: nil, cancelReason: nil, isVeiled: true)
    }

    private func audience(of caller: Principal, _ sql: any SQLSession) async throws -> Audience {
        if caller.isOnlyPatient || caller.has(.reception) || caller.has(.admin) {
            return Audience(isEverybodys: true, provider: nil, site: nil)
        }
        return Audience(
            isEverybodys: false,
            provider: caller.has(.doctor) ? try await ProviderStore(sql: sql).find(account: caller.account)?.id : nil,
            site: caller.has(.nurse) ? caller.location : nil)
    }

    /// Why somebody comes is health: told to the desk that booked it, to the patient, to the practitioner whom they
    /// come to, and to the nurses of the site. To other clinicians the chart says what it may. Of whose chart is restricted
    /// nurses are told no more than other clinicians, and neither learns which visit came of it.
    private struct Audience {
        let isEverybodys: Bool
        let provider: ProviderID?
        let site: LocationID?
        var restricted: Set<PatientID> = []

        func hears(_ appointment: Appointment) -> Bool {
            isEverybodys || appointment.provider == provider
                || (appointment.location == site && !restricted.contains(appointment.patient))
        }

        func isVeiled(_ appointment: Appointment) -> Bool {
            restricted.contains(appointment.patient) && !hears(appointment)
        }
    }
}
