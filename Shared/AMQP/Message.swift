/// Where the broker is and who we are to it.
package struct AMQPConfiguration: Sendable {
    package var host: String
    package var port: Int
    package var virtualHost: String
    package var user: String
    package var password: String
    /// Asks for the password at every new connection, so that one that was changed needs no restart.
    package var passwordNow: (@Sendable () -> String)?
    /// The file of the authority whose certificates are believed. Set, the connection is encrypted and the broker
    /// proves that it is `host`, or there is none.
    package var authorityFile: String?
    /// How long opening a connection and each question to the broker may take.
    package var timeout: Duration
    /// Half of it is how often a sign of life is sent.
    package var heartbeat: Duration
    /// A message neither confirmed nor refused for this long has an unknown fate, and the connection is opened anew.
    package var confirmTimeout: Duration

    package init(
        host: String, port: Int, virtualHost: String = "/", user: String, password: String,
        timeout: Duration = .seconds(5), heartbeat: Duration = .seconds(10),
        confirmTimeout: Duration = .seconds(8)
    ) {
        self.host = host
        self.port = port
        self.virtualHost = virtualHost
        self.user = user
        self.password = password
        self.timeout = timeout
        self.heartbeat = heartbeat
        self.confirmTimeout = confirmTimeout
    }
}

/// A header of a message or an argument of a declaration.
package enum AMQPValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case number(Int64)
    case flag(Bool)

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .number(value) }

    package var number: Int? {
        guard case .number(let value) = self else { return nil }
        return Int(exactly: value)
    }
    package var text: String? {
        guard case .text(let value) = self else { return nil }
        return value
    }
}

/// A message on its way out. Always persistent, always mandatory.
package struct OutgoingMessage: Sendable {
    /// Empty is the default exchange: `routingKey` then names the queue.
    package var exchange: String
    package var routingKey: String
    /// Names the message in `basic.return`, so it must differ between messages in flight.
    package var messageID: String
    package var contentType: String
    package var headers: [String: AMQPValue]
    package var body: [UInt8]

    package init(
        exchange: String, routingKey: String, messageID: String, contentType: String,
        headers: [String: AMQPValue] = [:], body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.messageID = messageID
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }
}

/// What became of a published message.
package enum Outcome: Sendable, Equatable {
    /// On disk in every queue it was routed to.
    case confirmed
    /// No queue wanted it: it is nowhere.
    case returned
    /// A queue refused it (full): it may be in others.
    case nacked
    /// The connection went away first: it may or may not be there. Publish again; receivers know its id.
    case unknown
}

/// A message the broker handed over; it stays the broker's until acknowledged.
package struct Delivery: Sendable {
    package let queue: String
    package let tag: DeliveryTag
    package let redelivered: Bool
    package let routingKey: String
    package let messageID: String
    package let contentType: String
    package let headers: [String: AMQPValue]
    package let body: [UInt8]

    /// How often a quorum queue has handed it out before without an answer: once per consumer that died with it.
    package var deliveryCount: Int { headers["x-delivery-count"]?.number ?? 0 }
}

/// Valid on the connection that delivered it only: after a reconnect the old ones are void.
package struct DeliveryTag: Hashable, Sendable {
    let epoch: UInt64
    let number: UInt64
}

/// A fault of the broker or of the way to it.
package enum AMQPError: Error, Sendable, Equatable {
    /// Not connected, or connection lost: try again later.
    case unavailable(String)
    /// The broker said no: bad credentials, a queue declared differently, a missing right.
    case refused(code: Int, String)
    /// Our own limit on what may wait.
    case overloaded
}
