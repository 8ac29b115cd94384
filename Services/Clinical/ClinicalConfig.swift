import Bootstrap

/// What an operator may change without a build.
struct ClinicalConfig: ServiceConfig {
    let host: HostConfig
    /// Printed at the head of a prescription.
    let clinicName: String

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "clinical")
        clinicName = read.text("CLINICAL_CLINIC_NAME", default: "Polyclinic")
        try read.finish()
    }
}
