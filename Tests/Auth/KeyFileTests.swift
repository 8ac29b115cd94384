import Access
import Cryptography
import Glibc
import Primitives
import Testing

@testable import Auth

struct KeyFileTests {
    @Test func `Keys are made once, whole, and for their owner only`() throws {
        let folder = "/tmp/polyclinic-test-keys-\(AccountID())"
        mkdir(folder, 0o700)
        let names = ["jwt_private.pem", "jwks.json", "index_key", "master_key", "password_pepper"]
        defer {
            for name in names { unlink("\(folder)/\(name)") }
            rmdir(folder)
        }
        #expect(try GenerateKeys.make(in: folder) == names.map { "\(folder)/\($0)" })
        let key = try SigningKey(pem: try #require(KeyFile.read("\(folder)/jwt_private.pem")))
        let published = try KeySet(jwks: try #require(KeyFile.read("\(folder)/jwks.json")))
        #expect(published[key.verifying.id] != nil)
        #expect(SymmetricKey(hex: try #require(KeyFile.read("\(folder)/master_key"))) != nil)
        for name in names where name != "jwks.json" {
            var status = stat()
            #expect(stat("\(folder)/\(name)", &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
        #expect(try GenerateKeys.make(in: folder).isEmpty)

        #expect(KeyFile.read("\(folder)/index_key") != KeyFile.read("\(folder)/master_key"))
        // Of a folder from before there were index keys: what it was hashed with.
        unlink("\(folder)/index_key")
        #expect(try GenerateKeys.make(in: folder) == ["\(folder)/index_key"])
        #expect(KeyFile.read("\(folder)/index_key") == KeyFile.read("\(folder)/master_key"))

        unlink("\(folder)/jwks.json")
        #expect(try GenerateKeys.make(in: folder) == ["\(folder)/jwks.json"])
        let again = try KeySet(jwks: try #require(KeyFile.read("\(folder)/jwks.json")))
        #expect(again[key.verifying.id] != nil)
    }

    @Test func `A folder that is not there is said`() {
        #expect(throws: KeyFileError.self) { try GenerateKeys.make(in: "/nonexistent") }
    }
}
