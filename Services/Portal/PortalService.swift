import Bootstrap
import HTTPClient
import Loop

/// The portal decides what a person sees: the front page, the documentation, and how the suite is.
@main
enum PortalService {
    static func main() { Bootstrap.run(PortalConfig.init(environment:), describe) }

    @LoopActor static func describe(_ config: PortalConfig, _ host: Host) -> Service {
        let home = HomeRoutes()
        let docs = DocsRoutes(documents: Folder(config.docs), assets: Folder(config.assets))
        let health = HealthRoutes(services: config.healthURLs, client: HTTPClient())

        return Service(
            name: "portal",
            migrations: [Migration("0001_empty", PackageResources._001_empty_sql)],
            routes: home.table + docs.table + health.table
        )
    }
}
