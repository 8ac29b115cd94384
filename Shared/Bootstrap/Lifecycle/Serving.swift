import AMQP
import Access
import Glibc
import HTTP
import Loop
import Messaging
import Postgres
import Redis

/// `serve`: from the first listening socket to the last flushed line.
///
/// Starts before its servers do and becomes ready when they are; nothing here waits for anything but its end.
@LoopActor final class Serving {
    private let service: Service
    private let host: Host
    private let messenger: Messenger
    private let supervisor: Supervisor
    private let lag = LoopLag()
    private let migrations: MigrationWatch
    private var hasMessenger = false
    /// Where requests and probes are really answered: `PORT=0` takes any free one.
    private(set) var ports: (requests: Int, probes: Int)?
    private var isEnding = false
    private var end: CheckedContinuation<Void, Never>?

    init(_ service: Service, on host: Host) {
        self.service = service
        self.host = host
        messenger = Messenger(service, on: host)
        supervisor = Supervisor(log: host.log)
        migrations = MigrationWatch(service, db: host.db)
    }

    func run() async -> Int32 {
        let config = host.config
        let health = Health(
            host, migrations: migrations, broker: { self.brokerState }, metrics: { self.metrics() })
        host.log.write(.info, "starting", ("version", Bootstrap.version), ("profile", config.profile.rawValue))
        host.start()
        lag.start()
        EventLoop.spawn { try await SpareMemory.giveBack() }

        let probes: HTTPServer
        let requests: HTTPServer
        do {
            let pipeline = try Pipeline(service, on: host)
            probes = try HTTPServer(host: config.healthAddress, port: config.healthPort) { health.answer($0) }
            var settings = HTTPServer.Configuration()
            settings.trustedProxies = config.trustedProxies
            requests = try HTTPServer(host: config.address, port: config.port, configuration: settings) { await pipeline.answer($0) }
        } catch {
            host.log.write(.error, "cannot serve", ("detail", "\(error)"))
            host.log.flushBeforeExit()
            return 1
        }
        ports = (requests.boundPort, probes.boundPort)
        let opening = EventLoop.spawn { try await self.open(health) }

        await toldToEnd()
        opening.cancel()
        await drain(health, requests)
        await probes.drain(within: .milliseconds(100))
        host.log.write(.info, "stopped")
        host.log.flushBeforeExit()
        return 0
    }

    // MARK: the end

    /// Returns at the first SIGTERM or SIGINT; a second one ends the process at once.
    private func toldToEnd() async {
        await withCheckedContinuation { continuation in
            end = continuation
            for signal in [SIGTERM, SIGINT] {
                EventLoop.shared.onSignal(signal) {
                    guard !self.isEnding else {
                        self.host.log.flushBeforeExit()
                        exit(128 + signal)
                    }
                    self.isEnding = true
                    self.end?.resume()
                    self.end = nil
                }
            }
        }
    }

    /// Readiness goes first, because whoever sends requests hears of it later; the broker's confirms go last.
    private func drain(_ health: Health, _ requests: HTTPServer) async {
        health.isDraining = true
        host.log.write(.info, "draining", ("inFlight", "\(host.requests.inFlight)"))
        try? await EventLoop.sleep(for: host.config.drain)
        let consumer = EventLoop.spawn {
            guard self.hasMessenger else { return }
            await self.messenger.consumer.drain(within: self.host.config.grace)
        }
        await requests.drain(within: host.config.grace)
        if host.requests.inFlight > 0 {
            host.log.write(.warning, "requests cut off", ("inFlight", "\(host.requests.inFlight)"))
        }
        _ = await consumer.result
        await supervisor.stop()
        if hasMessenger { await messenger.drain() }
        host.db.close()
    }

    private var brokerState: String {
        guard messenger.publisher.isConnected, service.reactions.isEmpty || messenger.consumer.isConnected else {
            return "down"
        }
        return messenger.publisher.isBlocked ? "blocked" : "up"
    }

    /// What needs tables waits until they are there; meanwhile the probes say so and requests are answered 503.
    private func open(_ health: Health) async throws {
        supervisor.start([migrations.worker])
        while !migrations.isCurrent { try await EventLoop.sleep(for: .milliseconds(5)) }
        messenger.start()
        hasMessenger = true
        supervisor.start([RevokedAccounts(host).worker, host.publishedKeys.worker, host.origins.worker] + service.workers)
        while !health.isReady { try await EventLoop.sleep(for: .milliseconds(5)) }
        host.log.write(.info, "ready", ("port", "\(ports?.requests ?? 0)"))
    }

    // MARK: metrics

    private func metrics() -> String {
        var page = Exposition()
        page.family("polyclinic_build_info", .gauge, "Which release this is.")
        page.sample("polyclinic_build_info", [("service", service.name), ("version", Bootstrap.version)], 1)
        host.requests.write(to: &page)
        lag.write(to: &page)
        DatabaseMetrics.write(host.db, to: &page)
        MessagingMetrics.write(messenger, to: &page)
        page.add("polyclinic_redis_up", .gauge, "Whether Redis can be asked.", host.redis.isReady ? 1 : 0)
        page.family("polyclinic_worker_restarts_total", .counter, "Times a worker ended and was started again.")
        for (name, count) in supervisor.restarts.sorted(by: { $0.key < $1.key }) {
            page.sample("polyclinic_worker_restarts_total", [("worker", name)], Double(count))
        }
        page.add(
            "polyclinic_log_lines_dropped_total", .counter, "Lines nobody read in time.", Double(host.log.dropped))
        for (name, gauge) in host.gauges.sorted(by: { $0.key < $1.key }) { page.add(name, .gauge, gauge.help, gauge.value) }
        page.add(
            "polyclinic_access_entries_total", .counter, "Reads and refusals that were committed to the audit trail.",
            Double(host.access.recorded))
        page.add(
            "polyclinic_access_commits_total", .counter, "Commits that took: what grouping them saves.",
            Double(host.access.commits))
        ProcessMetrics.write(to: &page)
        return page.text
    }
}
