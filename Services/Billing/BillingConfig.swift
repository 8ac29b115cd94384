import Bootstrap
import Primitives

/// What an operator may change without a build.
struct BillingConfig: ServiceConfig {
    let host: HostConfig
    /// Refunds of one invoice above this sum, in minor units, need an administrator.
    let refundLimit: Int64
    /// What a line is taxed at when it does not say.
    let defaultTax: Percent

    init(environment: Environment) throws {
        var read = environment.reader()
        host = HostConfig(&read, service: "billing")
        refundLimit = Int64(read.int("BILLING_REFUND_LIMIT_MINOR", default: 50_000, in: 0...1_000_000_000_000))
        let points = read.int("BILLING_DEFAULT_TAX_BASIS_POINTS", default: 0, in: 0...10_000)
        defaultTax = Percent(basisPoints: points) ?? .zero
        try read.finish()
    }
}
