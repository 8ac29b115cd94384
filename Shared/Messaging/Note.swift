import AMQP
import JSON
import Loop
import Postgres

/// Something an operator may want to read. Holds names, codes and ids only: never a payload, never a value.
package struct Notice: Sendable {
    package enum Level: String, Sendable { case info, warning, error }
    package let level: Level
    package let message: String
    package let fields: [(name: String, value: String)]

    init(_ level: Level, _ message: String, _ fields: [(name: String, value: String)] = []) {
        self.level = level
        self.message = message
        self.fields = fields
    }

    static func fault(_ place: String, _ error: any Error) -> Notice {
        Notice(.warning, "\(place) failed", [("reason", reason(error))])
    }

    static func refused(_ event: EventName, _ outcome: Outcome) -> Notice {
        Notice(.warning, "the broker did not take an event", [("event", event.text), ("outcome", "\(outcome)")])
    }

    /// What went wrong in words that cannot quote data.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as PostgresError:
            "postgres \(error.code) \(error.sqlState) \(error.constraint ?? "")"
        case let error as AMQPError: "amqp \(error)"
        case JSONError.member(let name): "member \(name)"
        case let error as CloudEvent.Malformed: "malformed \(error)"
        case Redelivery.later: "later"
        case Redelivery.reject: "rejected"
        case is EndsItsConsumer: "its handling was begun and did not end, too often"
        case is CancellationError: "deadline"
        default: String(describing: type(of: error))
        }
    }
}

/// Where notices go: Bootstrap hands in its log.
package typealias Note = @LoopActor @Sendable (Notice) -> Void
