import Cryptography
import JSON
import Testing

@testable import Access

struct KeySetTests {
    @Test func `A published key set reads back`() throws {
        let keys = try [SigningKey.generate(), SigningKey.generate()]
        let read = try KeySet(jwks: KeySet(keys.map(\.verifying)).jsonBytes)
        #expect(read.count == 2)
        #expect(read[keys[0].verifying.id]?.x == keys[0].verifying.x)
        #expect(read["another"] == nil)
        #expect(!String(decoding: KeySet([keys[0].verifying]).jsonBytes, as: UTF8.self).contains("\"d\""))
    }

    @Test func `Keys of other kinds are left out and damaged ones refused`() throws {
        let key = try SigningKey.generate().verifying
        let mine = #"{"kty":"EC","crv":"P-256","x":"\#(key.x)","y":"\#(key.y)"}"#
        #expect(try KeySet(jwks: [UInt8](#"{"keys":[{"kty":"oct","k":"AA"},\#(mine)]}"#.utf8)).count == 1)
        #expect(throws: KeySetError.noKey) { try KeySet(jwks: [UInt8](#"{"keys":[{"kty":"oct","k":"AA"}]}"#.utf8)) }
        #expect(throws: KeySetError.malformed) { try KeySet(jwks: [UInt8]("{}".utf8)) }
        #expect(throws: KeySetError.malformed) { try KeySet(jwks: [UInt8]("not json".utf8)) }
        let renamed = #"{"keys":[{"kid":"a","kty":"EC","crv":"P-256","x":"\#(key.x)","y":"\#(key.y)"}]}"#
        #expect(throws: KeySetError.malformed) { try KeySet(jwks: [UInt8](renamed.utf8)) }
    }
}
