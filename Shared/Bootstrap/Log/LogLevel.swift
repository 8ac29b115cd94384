package enum LogLevel: String, CaseIterable, Sendable, Comparable {
    case debug, info, warning, error
    package static func < (a: Self, b: Self) -> Bool { a.order < b.order }
    private var order: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
