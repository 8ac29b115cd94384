import Bootstrap
import Cryptography
import HTTPClient
import JSON
import Loop
import Postgres
import Primitives

/// Hands codes, and notices to owners, to the operator's own gateway for e-mail and text messages: one POST for each, repeated until it says 2xx.
///
/// Whether anybody is known under an address is found out here and not while the asker waits, so the answer to asking
/// takes the same time for everybody. A code is a secret of minutes: it goes to the gateway and nowhere else, no event.
@LoopActor final class CodeSender {
    let host: Host
    let emailIndex: EmailIndex
    let keys: RotatingKeys
    let gateway: Gateway?
    private let client: OutboundClient

    /// Where messages leave: the operator's configuration.
    struct Gateway: Sendable {
        let url: String
        let token: Secret?
        /// Who names this machine, by a name or number that cannot come to mean another, means it.
        let isHere: Bool

        /// Nil for an address codes must not travel to: they are secrets, and only this machine is reached in clear.
        init?(url: String, token: Secret?) {
            guard let target = OutboundClient.Target(url) else { return nil }
            isHere = target.host == "localhost" || AddressBlock.isThisMachine(target.host)
            guard target.isTLS || isHere else { return nil }
            self.url = url
            self.token = token
        }
    }

    init(
        host: Host, emailIndex: EmailIndex, keys: RotatingKeys, gateway: Gateway?,
        lookUp: @escaping OutboundClient.LookUp = { try await Resolver.addresses(of: $0) }
    ) {
        self.host = host
        self.emailIndex = emailIndex
        self.keys = keys
        self.gateway = gateway
        let here = gateway?.isHere == true ? AddressBlock.thisMachine : []
        client = OutboundClient(allowed: host.config.outboundAllowed + here, lookUp: lookUp)
    }

    nonisolated var worker: Worker {
        Worker("codes") {
            while true {
                let sent = try await self.sendDue()
                if sent == 0 { try await EventLoop.sleep(for: .milliseconds(500)) }
            }
        }
    }

    /// How many were due.
    func sendDue() async throws -> Int {
        guard let gateway else { return 0 }
        let due = try await host.db.systemTransaction { tx in
            try await ContactRequestStore(sql: tx, keys: keys).claim(at: host.now())
        }
        for (request, code) in due {
            let message = try await message(for: request, code)
            // Not inside a transaction: the gateway may take its time.
            guard await deliver(message, for: request, to: gateway) else { continue }
            try await host.db.systemTransaction { tx in
                try await ContactRequestStore(sql: tx, keys: keys).settle(request.id, at: host.now())
            }
        }
        return due.count
    }

    /// What to say to whom; nil when there is nobody to write to.
    private func message(for request: ContactRequest, _ code: String) async throws -> Message? {
        guard let contact = Contact(request.content.contact) else { return nil }
        let isKnown = try await host.db.systemTransaction { tx in
            try await CredentialStore(sql: tx).find(emailIndex(contact)) != nil
        }
        return switch (request.purpose, isKnown) {
        case (.signUp, false): Message(contact: contact, template: "sign_up_code", code: code)
        // The owner of the address learns of it; whoever asked does not.
        case (.signUp, true): Message(contact: contact, template: "account_exists", code: nil)
        case (.reset, true): Message(contact: contact, template: "reset_code", code: code)
        case (.reset, false): nil
        case (.change, false): Message(contact: contact, template: "change_code", code: code)
        case (.change, true): Message(contact: contact, template: "account_exists", code: nil)
        case (.notice, _): Message(contact: contact, template: "security_changed", code: nil, changed: request.content.changed)
        }
    }

    private func deliver(_ message: Message?, for request: ContactRequest, to gateway: Gateway) async -> Bool {
        guard let message else { return true }
        var headers = [(name: "content-type", value: "application/json"), (name: "idempotency-key", value: "\(request.id)")]
        if let token = gateway.token { headers.append(("authorization", "Bearer \(token.current)")) }
        do {
            let answer = try await client.request(
                "POST", gateway.url, headers: headers, body: message.jsonBytes, deadline: .seconds(5))
            if (200..<300).contains(answer.status) { return true }
            host.log.write(.warning, "message not taken", ("status", "\(answer.status)"))
        } catch OutboundClient.Refusal.inside {
            host.log.write(.error, "message gateway is inside and not in OUTBOUND_ALLOWED", ("template", message.template))
        } catch {
            host.log.write(.warning, "message gateway not reached", ("template", message.template))
        }
        return false
    }

    struct Message: JSONWritable {
        let contact: Contact
        let template: String
        let code: String?
        /// A notice, which asks for nothing and does not run out.
        var changed: SecurityNotice.Change?

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("channel", contact.channel.rawValue)
                $0.field("to", contact.text)
                $0.field("template", template)
                $0.field("code", code)
                $0.field("changed", changed?.rawValue)
                if changed == nil { $0.field("validMinutes", ContactRequest.life / 60) }
            }
        }
    }
}
