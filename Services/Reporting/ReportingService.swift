import Bootstrap
import Contracts
import Cryptography
import Loop
import Messaging

/// Reporting tells what happened.
@main
enum ReportingService {
    static func main() {
        Bootstrap.run(ReportingConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers and reacts to. It announces how far its audit chains have come.
    @LoopActor static func describe(_ config: ReportingConfig, _ host: Host) -> Service {
        let verify = VerifyAudit(host: host, keys: config.checkpointKeys)
        var workers = [
            ChainWatch(
                host: host, keys: config.checkpointKeys, folder: config.checkpointFolder, tick: config.verificationTick
            ).worker
        ]
        if let key = config.checkpointKey, let folder = config.checkpointFolder {
            workers.append(CheckpointClock(host: host, key: key, folder: folder, tick: config.checkpointTick).worker)
        }
        return Service(
            name: "reporting",
            migrations: migrations,
            routes: AuditRoutes(host: host).table + PatientAccessRoutes(host: host).table + StockMovementRoutes(host: host).table
                + DailyRoutes(host: host).table + [ReportingExport.route(host)],
            announces: [AuditCheckpointed.self],
            reactions: [.keepAuditEntry, .keepAccess, .keepFactsSent, .rememberStaff, .rememberStaffRoles, .keepMovement] + Reaction.daily,
            workers: workers, commands: [verify.command, AuditKeys(keys: config.checkpointKeys).command])
    }

    static let migrations = [
        Migration("0001_audit", PackageResources._001_audit_sql),
        Migration("0002_stock_movements", PackageResources._002_stock_movements_sql),
        Migration("0003_daily", PackageResources._003_daily_sql),
        Migration("0030_access", PackageResources._030_access_sql),
        Migration("0031_staff", PackageResources._031_staff_sql),
        Migration("0032_chain", PackageResources._032_chain_sql),
        Migration("0065_listed", PackageResources._065_listed_sql),
        Migration("0066_kept", PackageResources._066_kept_sql),
        Migration("0076_append", PackageResources._076_append_sql),
        Migration("0090_facts_sent", PackageResources._090_facts_sent_sql),
    ]
}
