import Loop

/// Runs `body` that many times at once and waits for all.
@LoopActor func together<T: Sendable>(_ count: Int, _ body: @escaping @LoopActor @Sendable () async throws -> T) async throws -> [T] {
    try await together(Array(repeating: body, count: count))
}

/// Runs all at once and waits for all.
@LoopActor func together<T: Sendable>(_ bodies: [@LoopActor @Sendable () async throws -> T]) async throws -> [T] {
    let tasks = bodies.map { body in EventLoop.spawn { try await body() } }
    var results: [T] = []
    for task in tasks { results.append(try await task.value) }
    return results
}
