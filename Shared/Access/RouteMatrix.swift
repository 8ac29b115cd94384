/// Every route against every role, as text for review: a missing guard is the worst bug a clinic's software can have.
package enum RouteMatrix {
    /// One line per route, sorted by path: `GET  /v1/users  manageUsers | admin`. Columns are wide enough for all
    /// rows, so a changed line is the change.
    package static func text(of routes: [Route]) -> String {
        let rows = routes.sorted { ($0.pattern, $0.method) < ($1.pattern, $1.method) }.map { route in
            (route.method, route.pattern, route.permission.rawValue, roles(route.permission))
        }
        let method = rows.map(\.0.count).max() ?? 0
        let pattern = rows.map(\.1.count).max() ?? 0
        let permission = rows.map(\.2.count).max() ?? 0
        return rows.map { row in
            "\(padded(row.0, method))  \(padded(row.1, pattern))  \(padded(row.2, permission)) | \(row.3)\n"
        }.joined() + fields(of: routes)
    }

    /// The fields of answers that not everybody who may call the route is answered.
    private static func fields(of routes: [Route]) -> String {
        routes.sorted { ($0.pattern, $0.method) < ($1.pattern, $1.method) }.flatMap { route in
            Set(route.docs.answers.flatMap { $0.schema?.limitedFields ?? [] }).sorted().map { field in
                "field  \(route.method) \(route.pattern)  \(field)\n"
            }
        }.joined()
    }

    private static func roles(_ permission: Permission) -> String {
        switch permission {
        case .anyone: "(no token)"
        case .signedIn: "(any role)"
        default: Role.allCases.filter { permission.roles.contains($0) }.map(\.rawValue).joined(separator: " ")
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
