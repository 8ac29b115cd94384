"""The keyed hashes that the clinical service searches names by, for pgbench: Services/Clinical/Search/SearchKeys.swift in short.

Only for names of two plain words: their first statement finds whoever was meant, so by sound or by a beginning nobody is searched.
"""
import ctypes
import hashlib
import hmac
import pathlib
import re

from tokens import crypto

crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p
SET_TAG = 0x11
PLAIN = re.compile(r"[A-Za-z]{4,} [A-Za-z]{4,}")  # one letter less is still a word that narrows
BEGINNINGS = range(3, 6)  # letters that a person types before the rest is guessed


def derived(key, use):
    """HKDF-SHA-256 without salt, 32 bytes."""
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), use.encode() + b"\x01", "sha256")


def opened(box, key, context):
    """Opens 2 ‖ key's id ‖ version byte ‖ nonce ‖ ciphertext ‖ tag, or the same without the first two."""
    context = context.encode()
    if box[0] == 2:
        context, box = context + box[:2], box[2:]
    nonce, sealed, tag = box[1:13], box[13:-16], box[-16:]
    plain, size = ctypes.create_string_buffer(len(sealed) + 16), ctypes.c_int()
    cipher = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    done = crypto.EVP_DecryptInit_ex(cipher, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
    done &= crypto.EVP_DecryptUpdate(cipher, None, ctypes.byref(size), context, len(context))
    done &= crypto.EVP_DecryptUpdate(cipher, plain, ctypes.byref(size), sealed, len(sealed))
    done &= crypto.EVP_CIPHER_CTX_ctrl(cipher, SET_TAG, 16, tag)
    done &= crypto.EVP_DecryptFinal_ex(cipher, ctypes.create_string_buffer(16), ctypes.byref(size))
    crypto.EVP_CIPHER_CTX_free(cipher)
    if done != 1:
        raise SystemExit("bench: the tenant's key does not open, so the search has no limit: is the master key that of this stack?")
    return plain.raw[:len(sealed)]


class Hashes:
    def __init__(self, stage):
        master = bytes.fromhex(pathlib.Path(stage.settings["MASTER_KEY_FILE"]).read_text().split()[0])
        wrapped = bytes.fromhex(stage.psql(f"select encode(wrapped, 'hex') from clinical.tenant_key where tenant_id = '{stage.tenant}'"))
        tenant = opened(wrapped, derived(master, "clinical tenant keys v1"), f"{stage.tenant}|{stage.tenant}|tenant_key|wrapped|{stage.tenant}")
        self.key = derived(tenant, "clinical search keys v1")

    def of(self, kind, text):
        return int.from_bytes(hmac.digest(self.key, f"{kind}|{text}".encode(), hashlib.sha256)[:8], "big", signed=True)

    def close(self, word):
        """Words at most two edits away: the word itself, and each without one letter, where leaving out either of two equal neighbours is one."""
        without = [word[:i] + word[i + 1:] for i in range(len(word)) if i == 0 or word[i] != word[i - 1]]
        return [self.of("w", word), *(self.of("w", one) for one in without)]

    def asked(self, text):
        """What is asked of Postgres for two words, of which the last may only be begun: two arrays."""
        first, last = text.lower().split()
        begun = [self.of("p", last)] if len(last) in BEGINNINGS else []
        return ["{" + ",".join(map(str, keys)) + "}" for keys in (self.close(first), self.close(last) + begun)]
