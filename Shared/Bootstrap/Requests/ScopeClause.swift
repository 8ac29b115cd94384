import Access
import Postgres
import Primitives

extension PatientScope {
    /// The scope as a condition on a column that holds a patient's id, for services that keep no charts: a desk works
    /// for everybody of the tenant, a patient's own account for itself. Clinical has rules of its own for charts.
    package func clause(_ column: SQL) -> SQL {
        switch patients {
        case .everyone: "true"
        case .only(let own): "\(column) = any(\(own)::uuid[])"
        case .charts, .unrestricted: "false"  // A service without charts that asks by them finds nobody's.
        }
    }
}
