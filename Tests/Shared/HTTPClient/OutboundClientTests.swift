import Glibc
import HTTPClient
import Loop
import Synchronization
import TestSupport
import Testing

/// What somebody types in as an address must not become a knock on our own doors (S8, ASVS 1.3.6).
struct OutboundClientTests {
    @Test(arguments: [
        "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "//example.com/",
        "https://user@example.com/", "https://example.com:0/", "https://example.com:99999/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://exam ple.com/", "https://example.com\\@127.0.0.1/", "https:///x",
        "https://localhost./", "https://example.com:443:80/", "HTTPS://example.com/",
    ])
    func `What is not a plain https address is refused before anything is looked up`(_ url: String) async throws {
        try await onLoop {
            let client = OutboundClient(lookUp: { _ in
                Issue.record("looked up")
                return []
            })
            await #expect(throws: OutboundClient.Refusal.address) { try await client.request("GET", url) }
            return
        }
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "localhost", "10.0.0.1", "172.16.9.9",
        "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
    ])
    func `No spelling of an address of ours is reached`(_ host: String) async throws {
        try await onLoop {
            await #expect(throws: OutboundClient.Refusal.inside) {
                try await OutboundClient().request("GET", "https://\(host)/")
            }
            return
        }
    }

    @Test(arguments: [
        ["::1"], ["::ffff:127.0.0.1"], ["::ffff:10.0.0.1"], ["::127.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"],
        ["fe80::1"], ["fd00::1"], ["::"], ["not an address"], [], ["93.184.216.34", "10.0.0.1"],
    ])
    func `A name with one address inside is refused, however it is written`(_ addresses: [String]) async throws {
        try await onLoop {
            let client = OutboundClient(lookUp: { _ in addresses })
            await #expect(throws: OutboundClient.Refusal.inside) {
                try await client.request("GET", "https://hook.example/")
            }
            return
        }
    }

    @Test(arguments: [
        ("http://example.com/", ["93.184.216.34"]), ("http://localhost/", ["127.0.0.1"]),
        ("http://both.invalid/", ["127.0.0.1", "93.184.216.34"]),
    ])
    func `In clear nothing is reached but this machine, and that only where it is allowed`(
        _ url: String, _ addresses: [String]
    ) async throws {
        try await onLoop {
            let isOurs = addresses == ["127.0.0.1"]
            let client = OutboundClient(
                allowed: isOurs ? [] : AddressBlock.thisMachine, lookUp: { _ in addresses })
            await #expect(throws: OutboundClient.Refusal.inside) { try await client.request("GET", url) }
            return
        }
    }

    @Test func `The connection goes to the address that was checked, and a name that changes is checked again`() async throws {
        let door = try Door()
        let asked = Mutex(0)
        try await onLoop {
            // The second look-up answers another address, as a rebinding name server does.
            let client = OutboundClient(
                allowed: [AddressBlock("127.0.0.2")].compactMap { $0 },
                lookUp: { _ in
                    let turn = asked.withLock {
                        $0 += 1
                        return $0
                    }
                    return [turn == 1 ? "127.0.0.2" : "127.0.0.1"]
                })
            let url = "https://rebinding.invalid:\(door.port)/"
            // The door speaks no TLS, so the call fails; that it was knocked on is the point.
            await #expect(throws: HTTPClient.Failure.self) { try await client.request("GET", url, deadline: .seconds(2)) }
            await #expect(throws: OutboundClient.Refusal.inside) { try await client.request("GET", url) }
        }
        #expect(asked.withLock { $0 } == 2)
        #expect(door.knocks == 1)
    }

    @Test func `Blocks of addresses hold what they say`() {
        #expect(AddressBlock("10.0.0.0/8")?.contains("10.255.0.1") == true)
        #expect(AddressBlock("10.0.0.0/8")?.contains("11.0.0.1") == false)
        #expect(AddressBlock("127.0.0.1")?.contains("::ffff:127.0.0.1") == true)
        #expect(AddressBlock("172.16.0.0/12")?.contains("172.31.255.255") == true)
        #expect(AddressBlock("172.16.0.0/12")?.contains("172.32.0.0") == false)
        #expect(AddressBlock("::1")?.contains("::1") == true)
        #expect(AddressBlock("10.0.0.0/33") == nil)
        #expect(AddressBlock("ten") == nil)
        #expect(AddressBlock.special.count == 26)
    }
}
