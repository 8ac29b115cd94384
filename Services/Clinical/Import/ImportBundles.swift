import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// `clinical import FILE… --tenant ID`: brings patients with their histories from FHIR R4 bundles.
///
/// What was imported is recognised by a keyed hash of its identifier, so running it twice changes nothing. Patients
/// are announced; their past visits are not: nobody should be billed or reminded for what happened elsewhere long ago.
@LoopActor struct ImportBundles {
    let host: Host
    let keys: TenantKeys
    let care: CareTerms

    var command: Command {
        Command(
            "import", help: "FILE… --tenant ID [--location ID] [--zone NAME]: import FHIR R4 bundles (.json, .json.gz)"
        ) { arguments in
            try await run(arguments)
        }
    }

    /// The account of a practitioner who is no user here.
    private static let elsewhere = AccountID(high: 0, low: 0)

    private struct Order {
        var files: [String] = []
        var tenant: TenantID?
        var location = LocationID(high: 0, low: 0)
        var zone = Zone.utc
    }

    struct Totals {
        var registered = 0
        var known = 0
        var visits = 0
        var knownVisits = 0
        var failed = 0
    }

    private func run(_ arguments: [String]) async throws -> Int32 {
        guard let order = Self.read(arguments), let tenant = order.tenant, !order.files.isEmpty else {
            print("usage: clinical import FILE… --tenant ID [--location ID] [--zone NAME]")
            return 2
        }
        let ring = try await keys.ring(for: tenant)
        var totals = Totals()
        for (index, path) in order.files.enumerated() {
            let place = "[\(index + 1)/\(order.files.count)]"
            do {
                let bundle = try FHIRBundle(bytes: BundleFile.read(path))
                let before = totals
                let mrn = try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                    totals = before
                    return try await bring(bundle, tenant, order.location, order.zone, ring, &totals, tx)
                }
                let what = totals.registered > before.registered ? "registered" : "already here"
                let added = totals.visits - before.visits
                print("\(place) \(mrn.text): \(what), \(added) visits added, \(totals.knownVisits - before.knownVisits) already here")
            } catch let error as BundleFile.Failure {
                totals.failed += 1
                print("\(place) \(path) \(error)")
            } catch let error as FHIRBundle.Failure {
                totals.failed += 1
                print("\(place) \(path) \(error)")
            } catch is JSONError {
                totals.failed += 1
                print("\(place) \(path) is not JSON that we accept")
            }
        }
        print(
            "patients: \(totals.registered) registered, \(totals.known) already here; "
                + "visits: \(totals.visits) added, \(totals.knownVisits) already here; \(totals.failed) files refused")
        if totals.registered == 0 && totals.visits == 0 { print("Nothing changed.") }
        return totals.failed == 0 ? 0 : 1
    }

    private static func read(_ arguments: [String]) -> Order? {
        var order = Order()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--tenant":
                guard let id = rest.popFirst().flatMap({ TenantID($0) }) else { return nil }
                order.tenant = id
            case "--location":
                guard let id = rest.popFirst().flatMap({ LocationID($0) }) else { return nil }
                order.location = id
            case "--zone":
                guard let zone = rest.popFirst().flatMap({ Zone($0) }) else { return nil }
                order.zone = zone
            default:
                if word.hasPrefix("--") { return nil }
                order.files.append(word)
            }
        }
        return order
    }

    // MARK: one person

    private func bring(
        _ bundle: FHIRBundle, _ tenant: TenantID, _ location: LocationID, _ zone: Zone, _ ring: KeyRing,
        _ totals: inout Totals, _ tx: Transaction
    ) async throws -> MedicalRecordNumber {
        let now = host.now()
        let reference = ring.reference("patient", bundle.patientID)
        let scope = PatientScope.system(tenant)
        if try await PatientStore(sql: tx, scope: scope).findByReference(reference) == nil {
            let mrn = MedicalRecordNumber(try await RecordNumberStore(sql: tx).raise(by: 1))
            _ = try await RegisterPatient(ring: ring, scope: scope, location: location, reference: reference)
                .register(bundle.personal, numbered: mrn, at: now, today: zone.localDate(of: now), in: tx)
            totals.registered += 1
        } else {
            totals.known += 1
        }
        guard let patient = try await PatientStore(sql: tx, scope: scope).findByReference(reference) else {
            throw PostgresError(.decoding, message: "an imported patient cannot be read back")
        }
        let vault = try patient.vault(ring, scope)
        let references = bundle.encounters.map { ring.reference("encounter", $0.id) }
        let known = try await VisitStore(sql: tx, scope: scope).existing(references: references)
        for (encounter, reference) in zip(bundle.encounters, references) {
            guard !known.contains(reference) else {
                totals.knownVisits += 1
                continue
            }
            try await bring(encounter, reference, of: patient, location, zone, vault, scope, tx)
            totals.visits += 1
        }
        return patient.mrn
    }

    private func bring(
        _ encounter: FHIRBundle.Encounter, _ reference: [UInt8], of patient: SealedPatient, _ location: LocationID,
        _ zone: Zone, _ vault: PatientVault, _ scope: PatientScope, _ tx: Transaction
    ) async throws {
        var visit = Visit(
            id: VisitID(), patient: patient.id, practitioner: Self.elsewhere, location: location,
            localDate: zone.localDate(of: encounter.start), token: nil, appointment: nil, startedAt: encounter.start)
        _ = try visit.record(encounter.findings, encounter.vitals)
        _ = try visit.complete(by: Self.elsewhere, at: encounter.end)

        let store = VisitStore(sql: tx, scope: scope)
        let findings = try vault.seal(visit.findings.stored, "visit", "findings", row: visit.id.description)
        try await store.insert(visit, findings: findings, reference: reference)
        try await CareStore(sql: tx).remember(
            patient.id, with: Self.elsewhere, at: location, .visit, until: care.end(of: encounter.start, care.afterVisit))
        try await store.saveVitals(visit.vitals, after: Vitals(), of: visit.id, by: Self.elsewhere, vault)
        let snapshot = VisitSnapshot(visit: visit, mrn: patient.mrn, notes: [], prescriptions: [])
        try await VisitWordsStore(sql: tx, vault: vault)
            .insert(snapshot: snapshot.jsonBytes, of: visit, signedAt: encounter.end)
    }
}
