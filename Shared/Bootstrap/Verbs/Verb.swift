/// What the executable is asked to do.
enum Verb: Equatable {
    case serve
    case migrate
    case routes(RoutesForm)
    case checkConfig
    case redrive(reaction: String)
    case help
    case version
    /// One of the service's own, or none of anybody's.
    case other(String, [String])

    enum RoutesForm: Equatable { case table, openAPI, matrix, events }

    init(_ arguments: [String]) {
        let rest = Array(arguments.dropFirst())
        switch (arguments.first, rest) {
        case ("serve", []): self = .serve
        case ("migrate", []): self = .migrate
        case ("routes", []): self = .routes(.table)
        case ("routes", ["--openapi"]): self = .routes(.openAPI)
        case ("routes", ["--matrix"]): self = .routes(.matrix)
        case ("routes", ["--events"]): self = .routes(.events)
        case ("check-config", []): self = .checkConfig
        case ("redrive", _) where rest.count == 1: self = .redrive(reaction: rest[0])
        case ("--help", _), ("-h", _), ("help", _): self = .help
        case ("--version", _): self = .version
        case (let name?, _): self = .other(name, rest)
        case (nil, _): self = .other("", [])
        }
    }

    static func help(_ service: Service) -> String {
        var lines = [
            ("serve", "answer requests, publish and react to events, until SIGTERM"),
            ("migrate", "bring the schema up to date, as the migrator role"),
            ("routes", "every route and its permission; --openapi, --matrix, --events"),
            ("check-config", "every variable as it is read, and what is wrong with it"),
            ("redrive <reaction>", "put the parked messages of a reaction back into its queue"),
        ]
        lines += service.commands.map { ($0.name, $0.help) }
        lines += [("--help", "this"), ("--version", "the version")]
        let width = lines.map(\.0.count).max() ?? 0
        let table = lines.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count + 2))\($0.1)\n" }
        return "usage: \(service.name) <verb>\n\n" + table.joined()
    }
}
