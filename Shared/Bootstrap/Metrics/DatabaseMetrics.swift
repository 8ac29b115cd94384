import Loop
import Postgres

@LoopActor enum DatabaseMetrics {
    static func write(_ db: Database, to page: inout Exposition) {
        let counters = db.counters
        page.add("polyclinic_db_up", .gauge, "Whether reads and writes can both be served.", db.isReady ? 1 : 0)
        page.add("polyclinic_db_statements_total", .counter, "Statements sent.", Double(counters.statements))
        page.add("polyclinic_db_transactions_total", .counter, "Transactions ended.", Double(counters.transactions))
        page.add("polyclinic_db_rollbacks_total", .counter, "Transactions rolled back.", Double(counters.rollbacks))
        page.add("polyclinic_db_reconnects_total", .counter, "Connections made again.", Double(counters.reconnects))
        page.add(
            "polyclinic_db_in_flight", .gauge, "Reads under way and write connections in use.",
            Double(counters.inFlight))
        page.add("polyclinic_db_waiting", .gauge, "Callers waiting for a connection.", Double(counters.waiting))
    }
}
