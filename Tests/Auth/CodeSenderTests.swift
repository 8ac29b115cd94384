import Bootstrap
import Glibc
import HTTP
import HTTPClient
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

/// Codes leave for the one gateway that the operator named, by the same guarded way as everything that leaves.
struct CodeSenderTests {
    @Test(arguments: ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:PORT/inside"])
    func `A gateway that sends us elsewhere is not followed`(_ place: String) async throws {
        try await Clinic.with { clinic in
            let inside = try Listening()
            let gateway = try Listening(302, location: place.replacing("PORT", with: "\(inside.port)"))
            let sender = try await sender(clinic, "http://127.0.0.1:\(gateway.port)/messages")
            #expect(try await sender.sendDue() == 1)
            #expect(gateway.heard.count == 1 && inside.heard.isEmpty)
            clinic.host.clock.advance(seconds: 16)
            #expect(try await sender.sendDue() == 1, "what was not taken is still due")
            await gateway.close()
            await inside.close()
        }
    }

    @Test func `A gateway whose name has come to mean an address inside is not reached, unless the operator lists it`() async throws {
        for (allowed, knocks) in [("", 0), ("127.0.0.1", 1)] {
            try await Clinic.with(["OUTBOUND_ALLOWED": allowed]) { clinic in
                let inside = try Door()
                let sender = try await sender(clinic, "https://gateway.example:\(inside.port)/") { _ in ["127.0.0.1"] }
                #expect(try await sender.sendDue() == 1)
                #expect(inside.knocks == knocks)
            }
        }
    }

    @Test func `No spelling of this machine's address is knocked on for a gateway, although it leads here`() async throws {
        try await Clinic.with { clinic in
            for spelling in ["0.0.0.0", "127.1", "2130706433", "0x7f000001"] {
                let inside = try Door()
                let url = "https://\(spelling):\(inside.port)/"
                #expect(try await sender(clinic, url).sendDue() == 1, "\(spelling)")
                #expect(inside.knocks == 0, "\(spelling)")
                // Whoever does not look first finds the way, so no other obstacle kept the codes away.
                _ = try? await HTTPClient().request("GET", url)
                #expect(inside.knocks == 1, "\(spelling)")
            }
        }
    }

    @Test func `The gateway's token is what its file holds now`() async throws {
        let file = "/tmp/polyclinic-message-token-\(getpid())"
        defer { unlink(file) }
        try write("first-token", to: file)
        try await Clinic.with(["AUTH_MESSAGE_TOKEN_FILE": file]) { clinic in
            let gateway = try Listening(202)
            var read = Environment(["TOKEN_FILE": file]).reader()
            let sender = try await sender(clinic, "http://127.0.0.1:\(gateway.port)/messages", token: read.secret("TOKEN_FILE"))
            _ = try await sender.sendDue()
            try write("second-token", to: file)
            try await ask(clinic)
            _ = try await sender.sendDue()
            #expect(gateway.heard == ["Bearer first-token", "Bearer second-token"])
            await gateway.close()
        }
    }

    @Test(arguments: [
        "http://mail.example/", "http://10.0.0.9/", "ftp://127.0.0.1/", "http://127.0.0.1@mail.example/", "http://127.1/",
        "http://localhost.mail.example/", "mail.example",
    ])
    func `Codes do not travel in clear`(_ url: String) {
        do {
            _ = try AuthConfig(environment: Environment(["POLYCLINIC_PROFILE": "production", "AUTH_MESSAGE_URL": url]))
            Issue.record("accepted")
        } catch let error as ConfigurationError {
            #expect(error.mistakes.contains { $0.name == "AUTH_MESSAGE_URL" })
        } catch { Issue.record(error) }
    }

    // MARK: what they need

    /// A sender with one code that is due.
    @LoopActor private func sender(
        _ clinic: Clinic, _ url: String, token: Secret? = nil,
        lookUp: @escaping OutboundClient.LookUp = { try await Resolver.addresses(of: $0) }
    ) async throws -> CodeSender {
        try await ask(clinic)
        let host = clinic.host.host
        let gateway = try #require(CodeSender.Gateway(url: url, token: token))
        return CodeSender(
            host: host, emailIndex: EmailIndex(keys: host.config.masterKeys), keys: host.config.masterKeys,
            gateway: gateway, lookUp: lookUp)
    }

    @LoopActor private func ask(_ clinic: Clinic) async throws {
        let host = clinic.host.host
        try await host.db.systemTransaction { tx in
            try await ContactRequestStore(sql: tx, keys: host.config.masterKeys).insert(
                ContactRequest(id: ID(), purpose: .signUp, content: .init(contact: "new@patients.example")), at: host.now())
        }
    }

    private func write(_ text: String, to file: String) throws {
        let handle = try #require(fopen(file, "w"))
        fputs(text, handle)
        fclose(handle)
    }
}

/// A server that remembers what it was shown as `Authorization`, one entry a request.
@LoopActor private final class Listening {
    private(set) var heard: [String] = []
    private var server: HTTPServer?
    var port: Int { server?.boundPort ?? 0 }

    init(_ status: Int = 200, location: String? = nil) throws {
        server = try HTTPServer(host: "127.0.0.1", port: 0) { [weak self] request in
            self?.heard.append(request.header("authorization") ?? "")
            return Response(status, headers: location.map { [("Location", $0)] } ?? [])
        }
    }

    func close() async {
        await server?.drain(within: .milliseconds(10))
        server = nil
    }
}
