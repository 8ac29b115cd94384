import Bootstrap
import Loop
import Messaging

/// Reporting tells what happened.
@main
enum ReportingService {
    static func main() {
        Bootstrap.run(ReportingConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers and reacts to. It announces nothing.
    @LoopActor static func describe(_ config: ReportingConfig, _ host: Host) -> Service {
        Service(
            name: "reporting",
            migrations: migrations,
            routes: AuditRoutes(host: host).table + StockMovementRoutes(host: host).table
                + DailyRoutes(host: host).table + [ReportingExport.route(host)],
            reactions: [.keepAuditEntry, .keepMovement] + Reaction.daily)
    }

    static let migrations = [
        Migration("0001_audit", PackageResources._001_audit_sql),
        Migration("0002_stock_movements", PackageResources._002_stock_movements_sql),
        Migration("0003_daily", PackageResources._003_daily_sql),
    ]
}
