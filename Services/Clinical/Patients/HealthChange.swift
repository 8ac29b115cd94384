import HTTP

/// What somebody who treats a patient adds to the allergies and conditions, and what they retire because it was wrong or
/// is over. Nobody replaces a list: what a change does not name stays.
struct HealthChange: Equatable, Sendable {
    struct List: Equatable, Sendable {
        var added: [HealthFact] = []
        var retired: [HealthFact] = []
    }

    static let mostFacts = 100

    var allergies = List()
    var conditions = List()
}

enum HealthError: Error, Equatable {
    /// Whoever retires what is not there may mean another patient.
    case unknown(pointer: String)
    case tooMany(pointer: String)
}

extension Personal {
    func recording(_ change: HealthChange) throws(HealthError) -> Personal {
        var copy = self
        copy.allergies = try Self.facts(allergies, change.allergies, "allergies")
        copy.conditions = try Self.facts(conditions, change.conditions, "conditions")
        return copy
    }

    private static func facts(
        _ known: [HealthFact], _ change: HealthChange.List, _ list: String
    ) throws(HealthError) -> [HealthFact] {
        var facts = known
        for (index, fact) in change.retired.enumerated() {
            guard let place = facts.firstIndex(of: fact) else { throw .unknown(pointer: "\(list)/retire/\(index)") }
            facts.remove(at: place)
        }
        for fact in change.added where !facts.contains(fact) { facts.append(fact) }
        guard facts.count <= HealthChange.mostFacts else { throw .tooMany(pointer: "\(list)/add") }
        return facts
    }
}

/// The one place where these refusals become HTTP.
extension HealthError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .unknown(let pointer):
            .refused("health_fact_unknown", "There is no such entry (\(pointer)). Name it exactly as the record answers it.")
        case .tooMany(let pointer):
            .invalid(pointer, "too_many", "At most \(HealthChange.mostFacts) in all: retire what is over.")
        }
    }
}
