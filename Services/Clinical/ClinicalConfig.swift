import Bootstrap

/// What an operator may change without a build.
struct ClinicalConfig: ServiceConfig {
    let host: HostConfig
    /// Printed at the head of a prescription.
    let clinicName: String
    /// How soon somebody must have judged a broken glass, or the alarm is raised.
    let reviewWithin: Duration
    /// How long a chart stays open to who treated somebody, after what made it theirs.
    let careTerms: CareTerms

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "clinical")
        clinicName = read.text("CLINICAL_CLINIC_NAME", default: "Polyclinic")
        reviewWithin = read.seconds("CLINICAL_REVIEW_WITHIN_SECONDS", default: 259_200, in: 1...2_592_000)
        let days = 86_400
        careTerms = CareTerms(
            afterVisit: read.seconds("CLINICAL_CARE_AFTER_VISIT_SECONDS", default: 730 * days, in: days...36_500 * days),
            afterAppointment: read.seconds("CLINICAL_CARE_AFTER_APPOINTMENT_SECONDS", default: 7 * days, in: days...365 * days),
            afterReferral: read.seconds("CLINICAL_CARE_AFTER_REFERRAL_SECONDS", default: 90 * days, in: days...36_500 * days))
        try read.finish()
    }
}
