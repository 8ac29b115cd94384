import Glibc
import Testing

/// Where every choice of a run comes from: the same seed is the same run. SplitMix64.
struct Dice: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        // Neighbouring seeds must not begin alike.
        state = seed &* 0xd605_bbb5_8c8a_bbfd
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// 0 to `count - 1`.
    mutating func below(_ count: Int) -> Int { Int(next() >> 33) % max(count, 1) }

    mutating func happens(_ percent: Int) -> Bool { below(100) < percent }

    mutating func place<T>(in list: [T]) -> Int? { list.isEmpty ? nil : below(list.count) }
}

/// A promise that a run did not keep.
struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ promise: String) { description = promise }
}

func must(_ holds: Bool, _ promise: @autoclosure () -> String) throws(Broken) {
    guard !holds else { return }
    throw Broken(promise())
}

/// Runs one simulation under many seeds. `SIMULATION_SEED=n` runs only that one, `SIMULATION_SEEDS=n` so many.
enum Seeds {
    static let usual: UInt64 = 10_000

    /// Every seed must keep every promise; the first that does not is printed, with how to see it again.
    static func allKeep(
        _ name: String, location: SourceLocation = #_sourceLocation, _ run: (inout Dice) throws -> Void
    ) {
        guard let (seed, error) = first(chosen, run) else { return }
        Issue.record(
            "\(name), seed \(seed): \(error). Again: SIMULATION_SEED=\(seed) make simulation", sourceLocation: location)
    }

    /// The faulty variant must be caught, or the simulation sees nothing.
    static func catchFault(
        _ fault: String, location: SourceLocation = #_sourceLocation, _ run: (inout Dice) throws -> Void
    ) {
        if first(1...usual, run) == nil {
            Issue.record("\(usual) seeds did not notice: \(fault)", sourceLocation: location)
        }
    }

    private static func first(
        _ seeds: ClosedRange<UInt64>, _ run: (inout Dice) throws -> Void
    ) -> (seed: UInt64, error: any Error)? {
        for seed in seeds {
            var dice = Dice(seed: seed)
            do { try run(&dice) } catch { return (seed, error) }
        }
        return nil
    }

    private static var chosen: ClosedRange<UInt64> {
        if let one = number("SIMULATION_SEED") { return one...one }
        return 1...max(number("SIMULATION_SEEDS") ?? usual, 1)
    }

    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
}
