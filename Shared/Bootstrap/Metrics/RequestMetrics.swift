import Access
import Loop

/// How often each route answered with which status, and how long that took.
@LoopActor final class RequestMetrics {
    /// Seconds; the last bucket is everything.
    private nonisolated static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    private nonisolated static let boundsInMicroseconds = bounds.map { UInt64($0 * 1_000_000) }

    private struct Series {
        let status: Int
        var sum: UInt64 = 0
        var buckets: [UInt64]
    }

    private let labels: [(method: String, route: String)]
    private var series: [[Series]]
    var inFlight = 0
    private(set) var shed = 0
    private(set) var lostDenials = 0

    /// One place per route, and one more for requests that matched none.
    nonisolated init(_ routes: [Route]) {
        labels = routes.map { ($0.method, $0.pattern) } + [("", "unmatched")]
        series = Array(repeating: [], count: routes.count + 1)
    }

    func record(route: Int?, status: Int, microseconds: UInt64) {
        let route = route ?? series.count - 1
        let bucket = Self.boundsInMicroseconds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
        let place: Int
        if let known = series[route].firstIndex(where: { $0.status == status }) {
            place = known
        } else {
            series[route].append(
                Series(status: status, buckets: [UInt64](repeating: 0, count: Self.bounds.count + 1)))
            place = series[route].count - 1
        }
        series[route][place].sum &+= microseconds
        series[route][place].buckets[bucket] &+= 1
    }

    func recordShed() { shed += 1 }
    func recordLostDenial() { lostDenials += 1 }

    func write(to page: inout Exposition) {
        let name = "polyclinic_http_request_duration_seconds"
        page.family(name, .histogram, "Time from the request's last byte to its answer.")
        for (place, all) in series.enumerated() {
            for one in all {
                let labels: Exposition.Labels = [
                    ("method", self.labels[place].method), ("route", self.labels[place].route),
                    ("status", "\(one.status)"),
                ]
                var sum: UInt64 = 0
                for (bucket, count) in one.buckets.enumerated() {
                    sum += count
                    let bound = bucket < Self.bounds.count ? "\(Self.bounds[bucket])" : "+Inf"
                    page.sample(name + "_bucket", labels + [("le", bound)], Double(sum))
                }
                page.sample(name + "_sum", labels, Double(one.sum) / 1_000_000)
                page.sample(name + "_count", labels, Double(sum))
            }
        }
        page.add("polyclinic_http_requests_in_flight", .gauge, "Requests being answered now.", Double(inFlight))
        page.add(
            "polyclinic_http_requests_shed_total", .counter, "Requests refused because too many were in flight.",
            Double(shed))
        page.add(
            "polyclinic_audit_denials_lost_total", .counter, "Refusals whose audit entry could not be written.",
            Double(lostDenials))
    }
}
