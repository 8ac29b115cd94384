import Glibc
import Testing

@testable import Bootstrap

@Suite struct ConfigurationTests {
    @Test func `Every mistake is reported at once, with the variable's name`() {
        let environment = Environment([
            "POLYCLINIC_PROFILE": "staging", "PORT": "99999", "HEALTH_PORT": "x",
            "MASTER_KEY_FILE": "/does/not/exist",
            "SERVICE_URLS": "clinical", "TOY_LIMIT": "11",
        ])
        do {
            _ = try ToyConfig(environment: environment)
            Issue.record("a wrong configuration was accepted")
        } catch let error as ConfigurationError {
            let names = Set(error.mistakes.map(\.name))
            #expect(
                names.isSuperset(of: [
                    "POLYCLINIC_PROFILE", "PORT", "HEALTH_PORT", "MASTER_KEY_FILE", "SERVICE_URLS", "TOY_LIMIT",
                    "POSTGRES_HOST",
                    "POSTGRES_PASSWORD_FILE", "REDIS_HOST", "AMQP_HOST", "AMQP_USER", "AMQP_PASSWORD_FILE",
                    "JWT_PUBLIC_KEYS_FILE",
                ]))
            #expect(error.description.contains("TOY_LIMIT: must be a whole number from 1 to 10"))
        } catch { Issue.record(error) }
    }

    @Test func `Describing needs no variable at all`() throws {
        let config = try ToyConfig(environment: Environment([:], describing: true))
        #expect(config.limit == 5)
    }

    @Test func `A secret is never shown, not even when it is wrong`() {
        let environment = Environment(["A_FILE": "/etc/hostname", "KEY_FILE": "/etc/hostname", "NONE_FILE": ""])
        var read = environment.reader()
        let secret = read.secret("A_FILE")
        _ = read.keyChain("KEY_FILE")
        let none = read.optionalSecret("NONE_FILE")
        #expect(none == nil)
        #expect("\(secret)" == "***" && String(reflecting: secret) == "***")
        #expect(environment.readings.map(\.shown) == ["***", "***", "(not set)"])
        #expect(environment.readings[1].mistake != nil)
    }

    @Test func `A secret is what its file holds now, and what it held at the start when the file is gone`() throws {
        let file = "/tmp/polyclinic-secret-\(getpid())"
        func write(_ text: String) throws {
            let handle = try #require(fopen(file, "w"))
            fputs(text, handle)
            fclose(handle)
        }
        try write("first\n")
        var read = Environment(["A_FILE": file]).reader()
        let secret = read.secret("A_FILE")
        #expect(secret.text == "first" && secret.current == "first")
        try write("second\r\n\n")
        #expect(secret.current == "second")
        unlink(file)
        #expect(secret.current == "first")
    }

    @Test func `Production talks over a network only where the other end proves itself`() {
        let environment = Environment([
            "POLYCLINIC_PROFILE": "production", "POSTGRES_HOST": "db.example", "AMQP_HOST": "10.0.0.7",
            "REDIS_HOST": "cache.example", "TRUSTED_PROXIES": "10.0.0.0/8,nonsense",
        ])
        var read = environment.reader()
        _ = HostConfig(&read, service: "toy")
        let wrong = Set(environment.readings.filter { $0.mistake?.contains("this machine") == true || $0.mistake?.contains("another machine") == true }.map(\.name))
        #expect(wrong == ["POSTGRES_CA_FILE", "AMQP_CA_FILE", "REDIS_HOST"])
        #expect(environment.readings.contains { $0.name == "TRUSTED_PROXIES" && $0.mistake != nil })
    }

    @Test func `An empty variable is one that is not set`() {
        let environment = Environment(["TOY_LIMIT": "", "FLAG": ""])
        var read = environment.reader()
        let limit = read.int("TOY_LIMIT", default: 5, in: 1...10)
        let flag = read.flag("FLAG", default: true)
        #expect(limit == 5 && flag)
        #expect(throws: Never.self) { try read.finish() }
    }

    @Test func `Flags, choices, tables and durations are read strictly`() {
        let environment = Environment(["F": "yes", "C": "blue", "T": "a=1,b=2", "D": "-1", "I": "1e3"])
        var read = environment.reader()
        _ = read.flag("F", default: false)
        _ = read.choice("C", of: ["red", "green"])
        let table = read.table("T")
        #expect(table == ["a": "1", "b": "2"])
        _ = read.seconds("D", default: 5)
        _ = read.int("I", in: 0...10_000)
        let wrong = environment.readings.filter { $0.mistake != nil }.map(\.name)
        #expect(wrong == ["F", "C", "D", "I"])
    }

    @Test func `Production refuses a guest at the broker and a short password`() throws {
        let environment = Environment([
            "POLYCLINIC_PROFILE": "production", "AMQP_USER": "guest", "POSTGRES_PASSWORD_FILE": "/etc/hostname",
        ])
        var read = environment.reader()
        let config = HostConfig(&read, service: "toy")
        let wrong = Set(environment.readings.filter { $0.mistake?.contains("production") == true }.map(\.name))
        #expect(wrong.contains("AMQP_USER"))
        #expect(config.address == "0.0.0.0")
        #expect(config.drain == .seconds(5))
        #expect(throws: RefusedInProduction.self) { try config.requireDemo() }
    }

    @Test func `Verbs are what they say, and anything else is the service's own`() {
        #expect(Verb(["serve"]) == .serve)
        #expect(Verb(["routes", "--matrix"]) == .routes(.matrix))
        #expect(Verb(["redrive", "a.b"]) == .redrive(reaction: "a.b"))
        #expect(Verb(["serve", "--fast"]) == .other("serve", ["--fast"]))
        #expect(Verb(["import", "a", "b"]) == .other("import", ["a", "b"]))
        #expect(Verb([]) == .other("", []))
    }
}
