import Bootstrap

/// What an operator may change without a build.
struct ClinicalConfig: ServiceConfig {
    let host: HostConfig
    /// Printed at the head of a prescription.
    let clinicName: String
    /// How soon somebody must have judged a broken glass, or the alarm is raised.
    let reviewWithin: Duration

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "clinical")
        clinicName = read.text("CLINICAL_CLINIC_NAME", default: "Polyclinic")
        reviewWithin = read.seconds("CLINICAL_REVIEW_WITHIN_SECONDS", default: 259_200, in: 1...2_592_000)
        try read.finish()
    }
}
