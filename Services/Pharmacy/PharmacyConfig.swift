import Bootstrap

/// What an operator may change without a build.
struct PharmacyConfig: ServiceConfig {
    let host: HostConfig
    /// Whether the counter waits for the till. Off for clinics that bill monthly.
    let requiresPayment: Bool

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "pharmacy")
        requiresPayment = read.flag("PHARMACY_REQUIRE_PAYMENT", default: true)
        try read.finish()
    }
}
