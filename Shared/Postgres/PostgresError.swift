import Loop

/// A fault of the database or of the way to it. Constraints that a rule expects are translated by `onConstraint`.
package struct PostgresError: Error, Sendable {
    package enum Code: Sendable {
        /// Not connected, connection lost, starting up, too many connections, no room on its disk: try again later.
        case unavailable
        /// Our deadline or `statement_timeout` passed.
        case timeout
        /// 40001 or 40P01: the whole transaction may be repeated.
        case serialization
        /// 23xxx; `constraint` names it.
        case constraint
        /// A column did not read as the type asked for: our mistake.
        case decoding
        /// Every other refusal of the server.
        case server
    }
    package let code: Code
    package let sqlState: String
    package let constraint: String?
    /// For the log only: may quote SQL, never values.
    package let message: String

    package init(_ code: Code, sqlState: String = "", constraint: String? = nil, message: String = "") {
        self.code = code
        self.sqlState = sqlState
        self.constraint = constraint
        self.message = message
    }

    /// The connection went away after the commit was sent: the change may have been kept or not.
    /// 08007 is the standard's `transaction_resolution_unknown`.
    package static let unknownOutcome = PostgresError(
        .unavailable, sqlState: "08007", message: "the connection was lost during commit: the outcome is unknown")

    package var isUnknownOutcome: Bool { sqlState == Self.unknownOutcome.sqlState }

    static let lost = PostgresError(.unavailable, sqlState: "08006", message: "the connection was lost")
    static let silent = PostgresError(.unavailable, sqlState: "08006", message: "the server does not answer at all")
    static let expired = PostgresError(.timeout, message: "no answer within the deadline")
}

extension PostgresError {
    /// What the server said, classified by the first characters of its SQLSTATE.
    init(sqlState: String, constraint: String?, message: String) {
        let code: Code
        switch sqlState {
        case "58030": code = .unavailable
        case "57014", "55P03": code = .timeout
        case "40001", "40P01": code = .serialization
        case _ where sqlState.hasPrefix("08") || sqlState.hasPrefix("57P0") || sqlState.hasPrefix("53"):
            code = .unavailable
        case _ where sqlState.hasPrefix("23"): code = .constraint
        default: code = .server
        }
        // Class 22 quotes the offending value even in its first line: `…type uuid: "x"`.
        let isAboutData = sqlState.hasPrefix("22")
        let said = isAboutData ? String(message.prefix { $0 != "\"" }) + (message.contains("\"") ? "…" : "") : message
        self.init(code, sqlState: sqlState, constraint: constraint, message: said)
    }

    /// The server has no disk or memory left, or its disk fails: it stays connected and can keep nothing.
    var isOutOfRoom: Bool { sqlState.hasPrefix("53") && sqlState != "53300" || sqlState == "58030" }

    /// The prepared statement is gone, or a migration changed what it returns: prepare it anew and repeat.
    var isStale: Bool {
        sqlState == "26000" || sqlState == "0A000" && message.contains("cached plan")
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        var text = "postgres \(code)"
        if !sqlState.isEmpty { text += " \(sqlState)" }
        if let constraint { text += " (\(constraint))" }
        return message.isEmpty ? text : text + ": \(message)"
    }
}

/// Turns the violation of one named constraint into a refusal. The transaction is doomed by then: this only translates.
@LoopActor package func onConstraint<T>(
    _ name: String, throw refusal: any Error, _ body: @LoopActor () async throws -> T
) async throws -> T {
    do { return try await body() } catch let error as PostgresError where error.constraint == name { throw refusal }
}
