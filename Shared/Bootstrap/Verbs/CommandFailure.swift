import HTTP

/// An error as the person at the terminal should read it.
enum CommandFailure {
    static func text(_ error: any Error) -> String {
        switch Failure(error) {
        case .refused(let problem): problem.detail.isEmpty ? problem.code : "\(problem.code): \(problem.detail)"
        case .unavailable(let reason): "unavailable: \(reason)"
        case .ours(let detail): (error as? any CustomStringConvertible)?.description ?? detail
        }
    }
}
