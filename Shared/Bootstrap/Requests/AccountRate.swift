import Primitives

/// How many requests a second one account may make: a bucket of tokens each, per process.
///
/// It stops a script with a stolen or careless token from taking a service for itself; whoever has no account is
/// limited by address at the gateway. Per process on purpose: asking Redis would cost every request a round trip.
struct AccountRate {
    /// Tokens a second; 0 is no limit.
    let rate: Int
    /// How many may come at once.
    private let burst: Int
    private var buckets: [AccountID: Bucket] = [:]

    private struct Bucket {
        var tokens: Int
        /// Microseconds of the monotonic clock.
        var at: UInt64
    }

    init(rate: Int) {
        self.rate = rate
        burst = rate * 2
    }

    /// False: one too many. `now` is in microseconds.
    mutating func takes(_ account: AccountID, at now: UInt64) -> Bool {
        guard rate > 0 else { return true }
        // Millionths of a token, so that slow trickles count too.
        let full = burst * 1_000_000
        var bucket = buckets[account] ?? Bucket(tokens: full, at: now)
        let passed = min(now &- bucket.at, 10_000_000)
        bucket.tokens = min(full, bucket.tokens + Int(clamping: passed) * rate)
        bucket.at = now
        let isEnough = bucket.tokens >= 1_000_000
        if isEnough { bucket.tokens -= 1_000_000 }
        if buckets.count >= 20_000, buckets[account] == nil { forgetFull(at: now) }
        buckets[account] = bucket
        return isEnough
    }

    /// Whoever was silent for ten seconds has a full bucket again: nothing is lost by forgetting it.
    private mutating func forgetFull(at now: UInt64) {
        buckets = buckets.filter { now &- $0.value.at < 10_000_000 }
        if buckets.count >= 20_000 { buckets.removeAll() }
    }
}
