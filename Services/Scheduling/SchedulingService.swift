import Bootstrap
import Contracts
import Loop

/// Scheduling decides who is seen, by whom, and when.
@main
enum SchedulingService {
    static func main() {
        Bootstrap.run(SchedulingConfig.init(environment:), describe)
    }

    static let migrations = [
        Migration("0001_cards", PackageResources._001_cards_sql),
        Migration("0002_providers", PackageResources._002_providers_sql),
        Migration("0003_slots", PackageResources._003_slots_sql),
        Migration("0004_appointments", PackageResources._004_appointments_sql),
        Migration("0020_licences", PackageResources._020_licences_sql),
        Migration("0040_sealed_words", PackageResources._040_sealed_words_sql),
        Migration("0080_restricted", PackageResources._080_restricted_sql),
        Migration("0081_requests", PackageResources._081_requests_sql),
        Migration("0082_requests_hold", PackageResources._082_requests_hold_sql),
        Migration("0083_ratings", PackageResources._083_ratings_sql),
        Migration("0084_arrivals_touch_no_index", PackageResources._084_arrivals_touch_no_index_sql),
    ]

    /// Everything this service is: what it stores, answers, announces and reacts to.
    @LoopActor static func describe(_ config: SchedulingConfig, _ host: Host) -> Service {
        let routes =
            ProviderRoutes(host: host).table + SlotRoutes(host: host).table
            + AppointmentRoutes(host: host).table + RequestRoutes(host: host).table + RatingRoutes(host: host).table + SchedulingCards(host: host).table + [SchedulingExport.route(host)]

        return Service(
            name: "scheduling",
            migrations: migrations,
            routes: routes,
            announces: [
                ProviderListed.self, ProviderRetired.self, SlotsOpened.self, AppointmentBooked.self, AppointmentRescheduled.self,
                AppointmentCancelled.self, AppointmentArrived.self, AppointmentFulfilled.self,
                AppointmentRequested.self, AppointmentRequestEnded.self,
            ],
            reactions: [
                .rememberTenant, .rememberLocation, .listProvider, .relistProvider, .retireProvider,
                .reinstateProvider, .licenseProvider, .unlicenseProvider, .showPresence, .rememberPatient, .forgetPatient,
                .rememberRestriction, .markArrived,
                .completeTokenAppointment, .completeVisitAppointment,
                .forgetPerson(in: "scheduling"),
            ],
            workers: [
                NoShowSweeper(host: host, grace: config.noShowGrace).worker, RequestExpiry(host: host).worker, SealWords(host: host).worker,
            ],
            commands: [RotateDataKeys(host: host).command]
        )
    }
}
