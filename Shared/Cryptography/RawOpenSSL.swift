import COpenSSL
import Synchronization

// Every OpenSSL function this package calls for hashing, sealing and signing is named in this file.

/// The algorithms, fetched once: OpenSSL 3 otherwise searches its providers on every call (about 1 µs).
enum RawOpenSSL {
    nonisolated(unsafe) private static let sha256 = fetched(EVP_MD_fetch(nil, "SHA256", nil))
    nonisolated(unsafe) private static let aes256GCM = fetched(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil))

    private static let digests = Contexts(make: { EVP_MD_CTX_new() }, free: { EVP_MD_CTX_free($0) })
    private static let ciphers = Contexts(make: { EVP_CIPHER_CTX_new() }, free: { EVP_CIPHER_CTX_free($0) })

    private static func fetched(_ algorithm: OpaquePointer?) -> OpaquePointer {
        guard let algorithm else { fatalError("OpenSSL has neither SHA-256 nor AES-256-GCM") }  // not from a request
        return algorithm
    }

    /// SHA-256 over the parts one after the other.
    static func digest(_ first: [UInt8], _ second: [UInt8] = []) -> [UInt8] {
        digests.use { context in
            [UInt8](unsafeUninitializedCapacity: 32) { output, count in
                var length: UInt32 = 0
                let done =
                    EVP_DigestInit_ex(context, sha256, nil) == 1
                    && EVP_DigestUpdate(context, first, first.count) == 1
                    && EVP_DigestUpdate(context, second, second.count) == 1
                    && EVP_DigestFinal_ex(context, output.baseAddress, &length) == 1
                precondition(done && length == 32, "SHA-256 cannot fail on memory that is there")
                count = 32
            }
        }
    }

    static func sha1(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 20) { output, count in
            var length: UInt32 = 0
            let done = EVP_Digest(bytes, bytes.count, output.baseAddress, &length, EVP_sha1(), nil) == 1
            precondition(done && length == 20, "SHA-1 cannot fail on memory that is there")
            count = 20
        }
    }

    /// Appends ciphertext ‖ tag (16 bytes) to `box`.
    static func sealGCM(
        _ plain: [UInt8], key: [UInt8], nonce: [UInt8], context aad: [UInt8], into box: inout [UInt8]
    ) -> Bool {
        guard key.count == 32, nonce.count == 12, plain.count < Int(Int32.max), aad.count < Int(Int32.max) else {
            return false
        }
        let output = [UInt8](unsafeUninitializedCapacity: plain.count + 16) { output, count in
            count = 0
            guard let start = output.baseAddress else { return }
            let done = ciphers.use { context in
                var length: Int32 = 0
                return EVP_EncryptInit_ex(context, aes256GCM, nil, key, nonce) == 1
                    && (aad.isEmpty || EVP_EncryptUpdate(context, nil, &length, aad, Int32(aad.count)) == 1)
                    && EVP_EncryptUpdate(context, start, &length, plain, Int32(plain.count)) == 1
                    && EVP_EncryptFinal_ex(context, start + plain.count, &length) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, start + plain.count) == 1
            }
            if done { count = plain.count + 16 }
        }
        box += output
        return !output.isEmpty
    }

    /// The plain text, or nil when key, nonce, context, text or tag do not belong together.
    static func openGCM(
        _ sealed: UnsafeBufferPointer<UInt8>, key: [UInt8], nonce: UnsafePointer<UInt8>, context aad: [UInt8]
    ) -> [UInt8]? {
        guard key.count == 32, let start = sealed.baseAddress, sealed.count >= 16, sealed.count < Int(Int32.max),
            aad.count < Int(Int32.max)
        else { return nil }
        let length = sealed.count - 16
        var authentic = false
        let plain = [UInt8](unsafeUninitializedCapacity: max(length, 1)) { output, count in
            authentic = ciphers.use { context in
                var written: Int32 = 0
                var rest: UInt8 = 0
                let tag = UnsafeMutableRawPointer(mutating: start + length)  // OpenSSL only reads it here.
                return EVP_DecryptInit_ex(context, aes256GCM, nil, key, nonce) == 1
                    && (aad.isEmpty || EVP_DecryptUpdate(context, nil, &written, aad, Int32(aad.count)) == 1)
                    && EVP_DecryptUpdate(context, output.baseAddress, &written, start, Int32(length)) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
                    && EVP_DecryptFinal_ex(context, &rest, &written) == 1
            }
            // Unauthenticated plain text must not stay readable.
            if !authentic { output.initialize(repeating: 0) }
            count = authentic ? length : 0
        }
        return authentic ? plain : nil
    }
}

/// OpenSSL contexts to use again: making one costs more than hashing a short text. Callers may be on any
/// thread (Argon2id's pepper runs on the blocking pool), so a borrowed context belongs to one caller.
private final class Contexts: Sendable {
    private struct Idle: @unchecked Sendable { var contexts: [OpaquePointer] = [] }
    private let idle = Mutex(Idle())
    private let make: @Sendable () -> OpaquePointer?
    private let free: @Sendable (OpaquePointer) -> Void

    init(make: @escaping @Sendable () -> OpaquePointer?, free: @escaping @Sendable (OpaquePointer) -> Void) {
        self.make = make
        self.free = free
    }

    func use<T>(_ body: (OpaquePointer) -> T) -> T {
        let kept = idle.withLock { idle in Borrowed(context: idle.contexts.popLast()) }
        guard let context = kept.context ?? make() else { fatalError("out of memory for an OpenSSL context") }  // not from a request
        defer {
            let back = Borrowed(context: context)
            let full = idle.withLock { idle in
                guard let context = back.context, idle.contexts.count < 16 else { return true }
                idle.contexts.append(context)
                return false
            }
            if full { free(context) }
        }
        return body(context)
    }

    private struct Borrowed: @unchecked Sendable { let context: OpaquePointer? }
}

/// One P-256 key pair or public key. Thread-safe: OpenSSL counts references atomically and never changes it.
final class RawP256: @unchecked Sendable {
    private let key: OpaquePointer

    private init(_ key: OpaquePointer) { self.key = key }
    deinit { EVP_PKEY_free(key) }

    static func generate() -> RawP256? {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "prime256v1") == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { return nil }
        return RawP256(key)
    }

    /// From `BEGIN PRIVATE KEY` (PKCS #8) or `BEGIN EC PRIVATE KEY`, unencrypted, on P-256.
    static func privateKey(pem: [UInt8]) -> RawP256? {
        guard let length = Int32(exactly: pem.count), let bio = BIO_new_mem_buf(pem, length) else { return nil }
        defer { BIO_free(bio) }
        // An empty passphrase instead of the default, which would ask the terminal.
        var passphrase: [CChar] = [0]
        guard let pointer = PEM_read_bio_PrivateKey(bio, nil, nil, &passphrase) else {
            ERR_clear_error()
            return nil
        }
        let key = RawP256(pointer)
        var group = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_group_name(pointer, &group, group.count, nil) == 1,
            String(decoding: group.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) == "prime256v1",
            key.point != nil
        else { return nil }
        return key
    }

    /// From the uncompressed point `04 ‖ x ‖ y`. A point off the curve is nil.
    static func publicKey(point: [UInt8]) -> RawP256? {
        guard point.count == 65, point[0] == 4 else { return nil }
        // SubjectPublicKeyInfo { ecPublicKey, prime256v1 } up to the point itself.
        let der: [UInt8] =
            [
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
                0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
            ] + point
        let key = der.withUnsafeBufferPointer { der in
            var next = der.baseAddress
            return d2i_PUBKEY(nil, &next, der.count)
        }
        guard let key else {
            ERR_clear_error()
            return nil
        }
        return RawP256(key)
    }

    /// PKCS #8 PEM.
    var pem: [UInt8]? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: 1024) { output, count in
            count = max(0, Int(BIO_read(bio, output.baseAddress, 1024)))
        }
    }

    /// `04 ‖ x ‖ y`
    var point: [UInt8]? {
        var length = 0
        let point = [UInt8](unsafeUninitializedCapacity: 65) { output, count in
            let done = EVP_PKEY_get_octet_string_param(key, "pub", output.baseAddress, 65, &length) == 1
            count = done ? length : 0
        }
        return point.count == 65 && point[0] == 4 ? point : nil
    }

    /// ECDSA over SHA-256 as r ‖ s, 32 bytes each.
    func sign(_ message: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1 else { return nil }
        var length = 80  // The longest DER form is 72 bytes.
        let der = [UInt8](unsafeUninitializedCapacity: 80) { output, count in
            let done = EVP_DigestSign(context, output.baseAddress, &length, message, message.count) == 1
            count = done ? length : 0
        }
        return der.withUnsafeBufferPointer { der -> [UInt8]? in
            var next = der.baseAddress
            guard der.count > 0, let signature = d2i_ECDSA_SIG(nil, &next, der.count) else { return nil }
            defer { ECDSA_SIG_free(signature) }
            var raw = [UInt8](repeating: 0, count: 64)
            let done = raw.withUnsafeMutableBufferPointer { raw -> Bool in
                guard let start = raw.baseAddress else { return false }
                return BN_bn2binpad(ECDSA_SIG_get0_r(signature), start, 32) == 32
                    && BN_bn2binpad(ECDSA_SIG_get0_s(signature), start + 32, 32) == 32
            }
            return done ? raw : nil
        }
    }

    /// Whether `signature` (r ‖ s) is of `message` under this key.
    func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let der = Self.der(signature) else { return false }
        return verify(der: der, of: message)
    }

    /// The same for the DER form; OpenSSL refuses r or s outside the group, zero included.
    func verify(der: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1 else { return false }
        let valid = EVP_DigestVerify(context, der, der.count, message, message.count) == 1
        if !valid { ERR_clear_error() }
        return valid
    }

    /// r ‖ s in the DER form that OpenSSL reads; nil unless both are there.
    private static func der(_ raw: [UInt8]) -> [UInt8]? {
        guard raw.count == 64, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let taken = raw.withUnsafeBufferPointer { raw -> Bool in
            guard let start = raw.baseAddress, let r = BN_bin2bn(start, 32, nil) else { return false }
            guard let s = BN_bin2bn(start + 32, 32, nil), ECDSA_SIG_set0(signature, r, s) == 1 else {
                BN_free(r)
                return false
            }
            return true
        }
        guard taken else { return nil }
        return [UInt8](unsafeUninitializedCapacity: 80) { output, count in
            var next = output.baseAddress
            count = max(0, Int(i2d_ECDSA_SIG(signature, &next)))
        }
    }
}
