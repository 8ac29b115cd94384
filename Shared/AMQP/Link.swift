import Glibc
import Loop
import Synchronization

/// A broker connection on a thread of its own, opened again whenever it is lost.
///
/// Subclasses say what to do with it; everything they override runs on that thread. Reconnecting waits
/// a random time up to a doubling limit (full jitter), so that a returning broker is not stampeded.
class Link: @unchecked Sendable {
    let configuration: AMQPConfiguration
    let name: String
    let topology: Topology
    private let bell = Bell()
    private let isStopping = Atomic<Bool>(false)

    init(_ configuration: AMQPConfiguration, name: String, topology: Topology) {
        self.configuration = configuration
        self.name = name
        self.topology = topology
    }

    // MARK: for subclasses, on the thread

    /// The connection is open and the topology declared.
    func opened(_ connection: RawConnection) throws(AMQPError) {}
    /// Once per turn, before waiting: send what waits to be sent.
    func turn(_ connection: RawConnection) throws(AMQPError) {}
    func received(_ frame: Frame) throws(AMQPError) {}
    func lost(_ error: AMQPError?) {}

    // MARK: any thread

    func start() {
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Link>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            box.release()
            return lost(.unavailable("no thread"))
        }
        pthread_detach(thread)
    }

    func ring() { bell.ring() }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        bell.ring()
    }

    private var mustRun: Bool { !isStopping.load(ordering: .acquiring) }

    // MARK: the thread

    private func run() {
        var failures = 0
        while mustRun {
            do throws(AMQPError) {
                let connection = try RawConnection(configuration, name: name)
                try declare(on: connection)
                try opened(connection)
                failures = 0
                while mustRun { try serve(connection) }
                try turn(connection)
                connection.close()
                lost(nil)
            } catch {
                lost(error)
                failures += 1
                let limit = min(15_000, 100 << min(failures, 8))
                pause(milliseconds: Int32.random(in: 10...Int32(limit)))
            }
        }
        lost(nil)
    }

    private func declare(on connection: RawConnection) throws(AMQPError) {
        for exchange in topology.exchanges { try connection.declare(exchange) }
        for queue in topology.queues { try connection.declare(queue) }
        for binding in topology.bindings { try connection.bind(binding) }
    }

    private func serve(_ connection: RawConnection) throws(AMQPError) {
        try turn(connection)
        if !connection.hasBufferedFrames { wait(for: connection.descriptor, milliseconds: 250) }
        // Bounded, so that what waits to be sent gets its turn under a flood of deliveries.
        for _ in 0..<256 {
            guard let frame = try connection.next() else { break }
            try received(frame)
        }
    }

    private func wait(for descriptor: Int32, milliseconds: Int32) {
        var interests = [
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&interests, 2, milliseconds)
        if interests[0].revents != 0 { bell.silence() }
    }

    private func pause(milliseconds: Int32) {
        var left = milliseconds
        // A publish that arrives meanwhile rings too; only stopping ends the pause.
        while left > 0, mustRun {
            var interest = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&interest, 1, min(left, 50))
            if interest.revents != 0 {
                bell.silence()
                usleep(5_000)
                left -= 5
            } else {
                left -= 50
            }
        }
    }
}

/// Wakes a thread that waits in `poll`.
final class Bell: @unchecked Sendable {
    let descriptor: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        descriptor = ends[0]
        writer = ends[1]
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    func ring() {
        var one: UInt8 = 1
        write(writer, &one, 1)
    }

    func silence() {
        var drop = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &drop, drop.count) == drop.count {}
    }
}
