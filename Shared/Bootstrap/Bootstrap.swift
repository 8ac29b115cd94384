import Glibc
import Loop

/// The whole of a service's `main`.
///
///     @main enum SchedulingService {
///         static func main() { Bootstrap.run(SchedulingConfig.init(environment:), describe) }
///
///         @LoopActor static func describe(_ config: SchedulingConfig, _ host: Host) -> Service { … }
///     }
package enum Bootstrap {
    package static let version = "0.1.0"

    /// Reads the verb and the environment, then runs the event loop on this (the main) thread until the verb is done.
    ///
    /// `describe` must not touch a server: `routes` calls it with a host that has no connections and with
    /// placeholders for secrets.
    package static func run<Config: ServiceConfig>(
        _ makeConfig: @escaping @Sendable (Environment) throws -> Config,
        _ describe: @escaping @LoopActor @Sendable (Config, Host) throws -> Service
    ) -> Never {
        keepMemoryOffDisk()
        let verb = Verb(Array(CommandLine.arguments.dropFirst()))
        EventLoop.spawn {
            let code = await Executable(makeConfig: makeConfig, describe: describe).run(verb)
            exit(code)
        }
        EventLoop.shared.run()
        exit(0)
    }

    /// A crash leaves no core: it would hold keys and records. The limit is one byte and not none, because a kernel that
    /// pipes cores to a program heeds no other limit than that (`fs/coredump.c`); no file of a core is that small.
    private static func keepMemoryOffDisk() {
        var least = rlimit(rlim_cur: 1, rlim_max: 1)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &least)
    }
}
