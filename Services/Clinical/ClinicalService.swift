import Access
import Bootstrap
import Contracts
import Loop

/// Clinical decides what is known about a patient's health.
@main
enum ClinicalService {
    static func main() {
        Bootstrap.run(ClinicalConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers, announces and reacts to.
    @LoopActor static func describe(_ config: ClinicalConfig, _ host: Host) -> Service {
        let keys = TenantKeys(host: host)
        let numbers = RecordNumbers(host: host)
        let patients = PatientRoutes(host: host, keys: keys, numbers: numbers)
        let health = HealthRoutes(host: host, keys: keys)
        let versions = VersionRoutes(host: host, keys: keys)
        let visits = VisitRoutes(host: host, keys: keys, care: config.careTerms)
        let notes = NoteRoutes(host: host, keys: keys)
        let history = VisitHistoryRoutes(host: host, keys: keys)
        let prescriptions = PrescriptionRoutes(host: host, keys: keys, clinicName: config.clinicName)
        let cards = CardRoutes(host: host)
        let consents = ConsentRoutes(host: host)
        let erasing = ErasePatients(host: host)
        let erasures = ErasureRoutes(host: host, erasing: erasing)
        let charts = ChartRoutes(host: host, keys: keys, care: config.careTerms)
        host.isStillOpen = { patient, caller, sql in
            try await PatientStore(sql: sql, scope: caller.identityScope).ground(for: patient) != nil
        }
        let glass = BreakGlassRoutes(host: host, keys: keys, reviewWithin: config.reviewWithin)

        return Service(
            name: "clinical",
            migrations: [
                Migration("0001_patients", PackageResources._001_patients_sql),
                Migration("0002_visits", PackageResources._002_visits_sql),
                Migration("0003_prescriptions", PackageResources._003_prescriptions_sql),
                Migration("0004_vacuum", PackageResources._004_vacuum_sql),
                Migration("0030_charts", PackageResources._030_charts_sql),
                Migration("0040_erasure", PackageResources._040_erasure_sql),
                Migration("0055_licences", PackageResources._055_licences_sql),
                Migration("0060_care_ends", PackageResources._060_care_ends_sql),
                Migration("0070_unlocked_charts", PackageResources._070_unlocked_charts_sql),
                Migration("0071_versions", PackageResources._071_versions_sql),
                Migration("0090_privacy_requests", PackageResources._090_privacy_requests_sql),
                Migration("0091_sealed_codes", PackageResources._091_sealed_codes_sql),
            ],
            routes: patients.table + health.table + versions.table + visits.table + notes.table + history.table + prescriptions.table + cards.table
                + SelfRegistration(host: host, keys: keys, numbers: numbers).table + charts.table + glass.table + consents.table + erasures.table
                + ExportRoutes(host: host, keys: keys).table + PrivacyRequestRoutes(host: host, keys: keys).table,
            announces: [
                PatientRegistered.self, PatientChanged.self, PatientInactivated.self, PatientErased.self, PatientRestrictionChanged.self, ConsentChanged.self,
                VisitStarted.self, VisitCompleted.self, PrescriptionIssued.self, GlassBroken.self, GlassUnreviewed.self,
                PrivacyRequestFiled.self, PrivacyRequestRemainedOpen.self, PrivacyRequestAnswered.self,
            ],
            reactions: [
                .rememberMedicine, .rememberPractitioner, .rememberPractitionerRoles, .rememberLicence,
                .forgetLicence, .rememberProvider,
                .relateByAppointment(config.careTerms), .relateByMove(config.careTerms), .unrelateByCancellation,
                .relateByArrival(config.careTerms),
            ],
            workers: [
                erasing.worker, ReviewAlarm(host: host, within: config.reviewWithin).worker, PrivacyRequestClock(host: host).worker,
                SealWords(host: host, keys: keys).worker,
            ],
            commands: [
                ImportBundles(host: host, keys: keys, care: config.careTerms).command,
                RotateDataKeys(host: host, own: .init(founding: keys.founding, rewrap: keys.rewrap)).command,
            ]
        )
    }
}
