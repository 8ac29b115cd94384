import Access
import JSON
import Messaging

/// What a service answers, announces and reacts to, as text for people and scripts.
enum RoutesReport {
    static func text(_ service: Service, _ form: Verb.RoutesForm) -> String {
        switch form {
        case .matrix: RouteMatrix.text(of: service.routes)
        case .openAPI:
            String(
                decoding: OpenAPIDocument(service: service.name, routes: service.routes).json.jsonBytes, as: UTF8.self
            ) + "\n"
        case .events:
            service.announces.map { "announces  \($0.name)\n" }.sorted().joined()
                + service.reactions.map { "reacts to  \($0.event)  as \($0.name)\n" }.sorted().joined()
        case .table: table(service.routes)
        }
    }

    private static func table(_ routes: [Route]) -> String {
        let sorted = routes.sorted { ($0.pattern, $0.method) < ($1.pattern, $1.method) }
        let pattern = sorted.map(\.pattern.count).max() ?? 0
        let permission = sorted.map(\.permission.rawValue.count).max() ?? 0
        return sorted.map { route in
            let columns = [
                padded(route.method, 6), padded(route.pattern, pattern), padded(route.permission.rawValue, permission),
                route.docs.summary,
            ]
            return columns.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
