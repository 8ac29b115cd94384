import Bootstrap
import Contracts
import Loop
import Messaging

/// Notifications decides what is said to whom, and when.
@main
enum NotificationsService {
    static func main() { Bootstrap.run(NotificationsConfig.init(environment:), describe) }

    @LoopActor static func describe(_ config: NotificationsConfig, _ host: Host) -> Service {
        let hub = LiveHub(host: host)
        let clock = ReminderClock(host: host, tick: config.reminderTick)

        return Service(
            name: "notifications",
            migrations: [
                Migration("0001_notices", PackageResources._001_notices_sql),
                Migration("0002_reminders", PackageResources._002_reminders_sql),
                Migration("0070_consents", PackageResources._070_consents_sql),
            ],
            routes: NoticeRoutes(host: host, hub: hub).table + [NotificationsExport.route(host)],
            announces: [ReminderDue.self],
            reactions: [
                .warnOfLowStock, .tellOfBooking, .tellOfMove, .tellOfCancellation, .tellOfPrescription, .tellOfBrokenGlass,
                .tellOfMissedReview, .tellOfPrivacyRequest, .tellOfOpenRequest, .tellOfAnsweredRequest, .rememberTenant, .rememberConsent,
            ],
            workers: [
                Worker("reminder-clock") { try await clock.run() },
                Worker("live-hub") { try await hub.run() },
            ]
        )
    }
}
