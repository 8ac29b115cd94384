import Bootstrap

/// What an operator may change without a build.
struct NotificationsConfig: ServiceConfig {
    let host: HostConfig
    /// How often the clock looks for reminders that are due.
    let reminderTick: Duration

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "notifications")
        reminderTick = read.seconds("NOTIFICATIONS_REMINDER_TICK_SECONDS", default: 5, in: 1...300)
        try read.finish()
    }
}
