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
        let keys = TenantKeys(host: host, masterKey: config.host.masterKey)
        let patients = PatientRoutes(host: host, keys: keys)

        return Service(
            name: "clinical",
            migrations: [
                Migration("0001_patients", PackageResources._001_patients_sql)
            ],
            routes: patients.table,
            announces: [PatientRegistered.self, PatientChanged.self, PatientInactivated.self]
        )
    }
}
