import Bootstrap
import Contracts
import Loop

/// Queue decides who is next.
@main
enum QueueService {
    static func main() {
        Bootstrap.run(QueueConfig.init(environment:), describe)
    }

    static let migrations = [
        Migration("0001_cards", PackageResources._001_cards_sql),
        Migration("0002_tokens", PackageResources._002_tokens_sql),
        Migration("0003_presence", PackageResources._003_presence_sql),
        Migration("0020_retired_providers", PackageResources._020_retired_providers_sql),
        Migration("0080_licences", PackageResources._080_licences_sql),
    ]

    /// Everything this service is: what it stores, answers, announces and reacts to.
    @LoopActor static func describe(_ config: QueueConfig, _ host: Host) -> Service {
        let boards = Boards(host: host)
        let routes =
            ArrivalRoutes(host: host, boards: boards, grace: config.onTimeGrace).table
            + TokenRoutes(host: host, boards: boards).table + BoardRoutes(host: host, boards: boards).table
            + PresenceRoutes(host: host, boards: boards).table + QueueCards(host: host).table
            + [QueueExport.route(host)]

        return Service(
            name: "queue",
            migrations: migrations,
            routes: routes,
            announces: [
                TokenIssued.self, TokenCalled.self, TokenReturned.self, TokenSkipped.self, TokenLeft.self,
                TokenCompleted.self, PresenceChanged.self,
            ],
            reactions: [
                .rememberProvider, .retireProvider, .licenseProvider, .unlicenseProvider, .rememberBooking, .rememberMove,
                .rememberCancellation, .rememberPatient, .forgetPatient, .rememberLocation, .completeToken(boards),
                .forgetAnswers,
            ],
            workers: [boards.listener]
        )
    }
}
