import Loop

/// A session of its own for texts of several statements: migrations, and the set-up of tests.
///
/// It does not pipeline and binds nothing, so no value of a client may ever come near it.
@LoopActor package final class ScriptSession {
    private let connection: Connection

    private init(_ connection: Connection) { self.connection = connection }

    /// Connects, waiting up to half a minute for a server that is still starting, and closes in the end.
    package static func with<T>(
        _ configuration: Database.Configuration, _ body: @LoopActor (ScriptSession) async throws -> T
    ) async throws -> T {
        let room = WaitingRoom(limit: 1)
        let line = Line(configuration, purpose: .migrating)
        line.onOpen = { _ = room.admit($0) }
        line.start()
        defer { line.stop() }
        let connection: Connection
        do { connection = try await room.wait(.seconds(30)) } catch let error as PostgresError {
            throw line.lastFailure ?? error
        }
        return try await body(ScriptSession(connection))
    }

    /// Runs every statement of the text, up to the first that fails.
    package func run(_ text: String) async throws { _ = try await result(of: text) }

    /// The rows of the text's last statement.
    package func all<T>(_ text: String, as row: (inout Row) throws -> T) async throws -> [T] {
        try await result(of: text).all(row)
    }

    private func result(of text: String) async throws -> RawResult {
        switch await connection.script(text) {
        case .rows(let result): return result
        case .failed(let error), .aborted(.some(let error)): throw error
        case .aborted(nil), .lost: throw PostgresError.lost
        case .expired: throw PostgresError.expired
        }
    }
}

/// Text of ours as a constant in a script.
struct Literal: CustomStringConvertible {
    let description: String

    init(_ value: String) {
        var text = "'"
        for character in value.unicodeScalars {
            if character == "'" { text += "'" }
            text.unicodeScalars.append(character)
        }
        description = text + "'"
    }
}
