import Bootstrap

/// What an operator may change without a build.
struct SchedulingConfig: ServiceConfig {
    let host: HostConfig
    /// How long after its end an appointment nobody came to is a no-show.
    let noShowGrace: Duration

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "scheduling", writeConnections: 16)
        noShowGrace = read.seconds("SCHEDULING_NO_SHOW_GRACE_SECONDS", default: 1800)
        try read.finish()
    }
}
