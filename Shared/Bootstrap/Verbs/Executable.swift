import Glibc
import Loop

/// One service's executable: its configuration and its description, and the verbs made of them.
@LoopActor struct Executable<Config: ServiceConfig> {
    let makeConfig: @Sendable (Environment) throws -> Config
    let describe: @LoopActor @Sendable (Config, Host) throws -> Service

    /// The exit code: 0 done, 1 failed, 64 no such verb, 78 wrong configuration (sysexits.h).
    func run(_ verb: Verb) async -> Int32 {
        do {
            switch verb {
            case .help: print(Verb.help(try described().service), to: STDOUT_FILENO)
            case .version: print("\(try described().service.name) \(Bootstrap.version)\n", to: STDOUT_FILENO)
            case .routes(let form): print(RoutesReport.text(try described().service, form), to: STDOUT_FILENO)
            case .checkConfig: return checkConfig()
            case .migrate:
                let service = try described().service
                return try await Migrating(service, MigratorConfig(environment: .ofProcess(), service: service.name))
                    .run()
            case .serve:
                let (service, host) = try configured()
                return await Serving(service, on: host).run()
            case .redrive(let reaction):
                let (service, host) = try configured()
                return try await Redriving(service, on: host).run(reaction)
            case .other(let name, let arguments): return try await command(name, arguments)
            }
            return 0
        } catch let error as ConfigurationError {
            print("The configuration is wrong:\n\(error)\n", to: STDERR_FILENO)
            return 78
        } catch {
            print("\(CommandFailure.text(error))\n", to: STDERR_FILENO)
            return 1
        }
    }

    private func configured() throws -> (service: Service, host: Host) {
        try make(.ofProcess())
    }

    /// The service without servers and secrets: what it is does not depend on where it runs.
    private func described() throws -> (service: Service, host: Host) {
        try make(.ofProcess(describing: true))
    }

    private func make(_ environment: Environment) throws -> (service: Service, host: Host) {
        let config = try makeConfig(environment)
        let host = Host(config.host)
        return (try describe(config, host).completed, host)
    }

    private func command(_ name: String, _ arguments: [String]) async throws -> Int32 {
        let (service, _) = try described()
        guard let command = service.commands.first(where: { $0.name == name }) else {
            let complaint =
                name.isEmpty ? "" : "\(service.name): there is no verb '\(name)' that takes these arguments\n\n"
            print(complaint + Verb.help(service), to: STDERR_FILENO)
            return 64
        }
        guard command.needsServers else { return try await command.run(arguments) }
        let (live, host) = try configured()
        host.start()
        defer { host.log.flushBeforeExit() }
        try await host.waitForDatabase()
        guard let ready = live.commands.first(where: { $0.name == name }) else { return 64 }
        return try await ready.run(arguments)
    }

    private func checkConfig() -> Int32 {
        let environment = Environment.ofProcess()
        do { _ = try makeConfig(environment) } catch is ConfigurationError {
            // Every mistake stands beside its variable below.
        } catch {
            print("\(error)\n", to: STDERR_FILENO)
            return 1
        }
        let readings = environment.readings
        let width = readings.map(\.name.count).max() ?? 0
        for reading in readings {
            let name = reading.name + String(repeating: " ", count: width - reading.name.count)
            let mistake = reading.mistake.map { "   <- \($0)" } ?? ""
            print("\(name)  \(reading.shown)\(mistake)\n", to: STDOUT_FILENO)
        }
        return readings.contains { $0.mistake != nil } ? 1 : 0
    }
}

/// Writes all of `text`, waiting for the reader: for verbs that end, not for a server.
func print(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let wrote = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if wrote < 0 && errno == EINTR { continue }
        guard wrote > 0 else { return }
        rest = rest.dropFirst(wrote)
    }
}
