import Bootstrap

/// What an operator may change without a build.
struct QueueConfig: ServiceConfig {
    let host: HostConfig
    /// How late a patient may come and still go before those who walked in.
    let onTimeGrace: Duration

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "queue", writeConnections: 16)
        onTimeGrace = read.seconds("QUEUE_ON_TIME_GRACE_SECONDS", default: 900)
        try read.finish()
    }
}
