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
                Migration("0080_people", PackageResources._080_people_sql),
                Migration("0081_people_once", PackageResources._081_people_once_sql),
            ],
            routes: NoticeRoutes(host: host, hub: hub).table + [NotificationsExport.route(host)],
            announces: [ReminderDue.self],
            reactions: [
                .warnOfLowStock, .tellOfBooking, .tellOfMove, .tellOfCancellation, .tellOfRequest, .tellOfEndedRequest, .tellOfArrival, .tellOfPrescription,
                .tellOfBrokenGlass, .tellOfMissedReview, .tellOfPasswordSpray, .tellOfVerifiedLicence, .tellOfWithdrawnLicence, .rememberTenant,
                .rememberConsent, .rememberProvider,
                .tellOfPrivacyRequest, .tellOfOpenRequest, .tellOfAnsweredRequest,
            ],
            workers: [
                Worker("reminder-clock") { try await clock.run() },
                Worker("live-hub") { try await hub.run() },
            ]
        )
    }
}
