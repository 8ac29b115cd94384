import Bootstrap
import Contracts
import Loop

/// Pharmacy decides what leaves the shelf.
@main
enum PharmacyService {
    static func main() {
        Bootstrap.run(PharmacyConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers, announces and reacts to.
    @LoopActor static func describe(_ config: PharmacyConfig, _ host: Host) -> Service {
        let medicines = MedicineRoutes(host: host)
        let stock = StockRoutes(host: host)
        let reports = StockReportRoutes(host: host)
        let dispensing = DispensingRoutes(host: host, requiresPayment: config.requiresPayment)

        return Service(
            name: "pharmacy",
            migrations: migrations,
            routes: medicines.table + stock.table + reports.table + dispensing.table
                + [PharmacyExport.route(host)],
            announces: [MedicineListed.self, StockMoved.self, StockRanLow.self, PrescriptionDispensed.self],
            reactions: [.rememberPrescription, .rememberSettlement, .doubtSettlement, .forgetAnswers])
    }

    static let migrations = [
        Migration("0001_medicines", PackageResources._001_medicines_sql),
        Migration("0002_stock", PackageResources._002_stock_sql),
        Migration("0003_cards", PackageResources._003_cards_sql),
        Migration("0004_dispensing", PackageResources._004_dispensing_sql),
        Migration("0005_quarantine_reason", PackageResources._005_quarantine_reason_sql),
        Migration("0061_prescriber", PackageResources._061_prescriber_sql),
    ]
}
