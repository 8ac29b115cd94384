import Bootstrap

/// What an operator may change without a build: nothing of its own yet.
struct ReportingConfig: ServiceConfig {
    let host: HostConfig

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "reporting")
        try read.finish()
    }
}
