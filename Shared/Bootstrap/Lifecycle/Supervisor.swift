import HTTP
import Loop

/// Keeps the workers running: one that fails is logged and starts again, later each time it fails quickly.
@LoopActor final class Supervisor {
    private let log: Log
    private var tasks: [LoopTask<Void>] = []
    private(set) var restarts: [String: Int] = [:]

    init(log: Log) { self.log = log }

    func start(_ workers: [Worker]) {
        for worker in workers {
            restarts[worker.name] = 0
            tasks.append(EventLoop.spawn { await self.keep(worker) })
        }
    }

    /// Cancels every worker and waits for them: what they are in the middle of, they finish or roll back.
    func stop() async {
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
        tasks = []
    }

    private func keep(_ worker: Worker) async {
        var pause = 0.5
        while !Task.isCancelled {
            let started = EventLoop.shared.tickTime
            do {
                try await worker.run()
                if Task.isCancelled { return }
            } catch is CancellationError {
                return
            } catch {
                switch Failure(error) {
                case .unavailable(let reason):
                    log.write(.warning, "worker waits", ("worker", worker.name), ("reason", reason))
                case .ours(let detail):
                    log.write(.error, "worker failed", ("worker", worker.name), ("detail", detail))
                case .refused(let problem):
                    log.write(.error, "worker failed", ("worker", worker.name), ("code", problem.code))
                }
            }
            restarts[worker.name, default: 0] += 1
            // A run of more than a minute was healthy: the next failure is a new story.
            let seconds = (EventLoop.shared.tickTime - started) / 1_000_000_000
            pause = seconds > 60 ? 0.5 : min(pause * 2, 30)
            do { try await EventLoop.sleep(for: .seconds(pause * Double.random(in: 0.5...1))) } catch { return }
        }
    }
}
