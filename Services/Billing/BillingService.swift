import Bootstrap
import Contracts
import Loop

/// Billing decides who owes what.
@main
enum BillingService {
    static func main() {
        Bootstrap.run(BillingConfig.init(environment:), describe)
    }

    /// Everything this service is: what it stores, answers, announces and reacts to.
    @LoopActor static func describe(_ config: BillingConfig, _ host: Host) -> Service {
        let invoices = InvoiceRoutes(host: host, defaultTax: config.defaultTax)
        let payments = PaymentRoutes(host: host, refundLimit: config.refundLimit)
        let settlements = SettlementRoutes(host: host)

        return Service(
            name: "billing",
            migrations: migrations,
            routes: invoices.table + payments.table + settlements.table + [BillingExport.route(host)],
            announces: [InvoiceIssued.self, PaymentReceived.self, InvoicePaid.self, InvoiceRefunded.self],
            reactions: [.rememberVisit, .rememberMedicine, .forgetAnswers],
            workers: [SealWords(host: host).worker],
            commands: [RotateDataKeys(host: host).command])
    }

    static let migrations = [
        Migration("0001_invoices", PackageResources._001_invoices_sql),
        Migration("0002_frozen", PackageResources._002_frozen_sql),
        Migration("0003_ledger", PackageResources._003_ledger_sql),
        Migration("0004_cards", PackageResources._004_cards_sql),
        Migration("0005_sealed_words", PackageResources._005_sealed_words_sql),
    ]
}
