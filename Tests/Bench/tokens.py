"""Access tokens as auth signs them, for jobs that need thousands of callers at once.

ES256 through libcrypto; the services verify them like any other. The key is that of the bench's own stack.
"""
import base64
import ctypes
import ctypes.util
import json
import pathlib
import time
import uuid

crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for name in ("BIO_new_mem_buf", "PEM_read_bio_PrivateKey", "EVP_MD_CTX_new", "EVP_sha256"):
    getattr(crypto, name).restype = ctypes.c_void_p


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Mint:
    def __init__(self, secrets):
        pem = pathlib.Path(secrets, "jwt_private.pem").read_bytes()
        bio = crypto.BIO_new_mem_buf(pem, len(pem))
        self.key = ctypes.c_void_p(crypto.PEM_read_bio_PrivateKey(ctypes.c_void_p(bio), None, None, None))
        if not self.key:
            raise SystemExit(f"bench: cannot read the signing key in {secrets}")
        kid = json.loads(pathlib.Path(secrets, "jwks.json").read_text())["keys"][0]["kid"]
        self.header = text(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": kid}).encode())

    def sign(self, data):
        context = ctypes.c_void_p(crypto.EVP_MD_CTX_new())
        size, der = ctypes.c_size_t(128), ctypes.create_string_buffer(128)
        done = crypto.EVP_DigestSignInit(context, None, ctypes.c_void_p(crypto.EVP_sha256()), None, self.key)
        done &= crypto.EVP_DigestSign(context, der, ctypes.byref(size), data, ctypes.c_size_t(len(data)))
        crypto.EVP_MD_CTX_free(context)
        if done != 1:
            raise SystemExit("bench: libcrypto does not sign")
        # SEQUENCE { INTEGER r, INTEGER s } becomes r ‖ s of 32 bytes each.
        raw, at, parts = der.raw, 2, []
        for _ in range(2):
            length = raw[at + 1]
            parts.append(int.from_bytes(raw[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
            at += 2 + length
        return b"".join(parts)

    def token(self, tenant, account, role, location, zone="Asia/Kolkata", life=900):
        now = int(time.time())
        claims = {"iss": "polyclinic", "aud": "polyclinic", "sub": account, "tid": tenant, "roles": [role], "sid": str(uuid.uuid4()),
                  "loc": location, "zone": zone, "cur": "INR", "jti": str(uuid.uuid4()), "iat": now, "exp": now + life}
        signed = f"{self.header}.{text(json.dumps(claims).encode())}"
        return f"{signed}.{text(self.sign(signed.encode()))}"
