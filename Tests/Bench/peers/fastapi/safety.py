"""Who is asking, and what is sealed: the same tokens and the same AES-256-GCM as the services'."""
import json
import os
import pathlib
import secrets
import time
from typing import Annotated

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Depends, Header, HTTPException


class Verifier:
    """ES256 bearer tokens; a verified one is remembered until it expires."""

    def __init__(self, file):
        self.keys = {key["kid"]: jwt.PyJWK(key).key for key in json.loads(pathlib.Path(file).read_text())["keys"]}
        self.known = {}

    def caller(self, authorization):
        who = self.known.get(authorization) or self.verify(authorization)
        if who and time.time() > who["exp"] + 30:
            self.known.pop(authorization, None)
            return None
        return who

    def verify(self, authorization):
        if not authorization.startswith("Bearer "):
            return None
        try:
            header = jwt.get_unverified_header(authorization[7:])
            if header["typ"] != "at+jwt":
                return None
            who = jwt.decode(authorization[7:], self.keys[header["kid"]], ["ES256"], audience="polyclinic", issuer="polyclinic", leeway=30)
        except (jwt.PyJWTError, KeyError):
            return None
        self.known[authorization] = who
        return who


def derive(key, use):
    return HKDF(SHA256(), 32, None, use.encode()).derive(key)


def unseal(cipher, box, context):
    """Opens 2 ‖ key's id ‖ version byte ‖ nonce ‖ ciphertext ‖ tag, or the same without the first two."""
    context = context.encode()
    if box[0] == 2:
        context, box = context + box[:2], box[2:]
    if len(box) < 29 or box[0] != 1:
        raise ValueError("not a sealed value")
    return cipher.decrypt(box[1:13], box[13:], context)


class Keyring:
    """Master key → tenant's keys (remembered, the newest first) → patient's key → the record."""

    def __init__(self, file):
        master = bytes.fromhex(pathlib.Path(file).read_text().strip())
        self.founding, self.wrapping = (AESGCM(derive(master, use)) for use in ("clinical tenant keys v1", "tenant wrapping keys v1"))
        self.answers = derive(master, "idempotency")  # What Idempotency-Keys keep.
        self.tenants = {}

    async def tenant(self, db, tenant):
        rows = await db.fetch("select number, wrapped from tenant_wrapping_key where active_from <= now() order by number desc")
        keys = [unseal(self.wrapping, row["wrapped"], f"{tenant}|{tenant}|clinical.tenant_wrapping_key|wrapped|{row['number']}") for row in rows]
        founding = unseal(self.founding, await db.fetchval("select wrapped from tenant_key"), f"{tenant}|{tenant}|tenant_key|wrapped|{tenant}")
        self.tenants[tenant] = [AESGCM(key) for key in (*keys, derive(founding, "clinical patient data keys v1"))]
        return self.tenants[tenant]

    def vault(self, wrapping, tenant, patient, data_key):
        for one in wrapping:
            try:
                return Vault(unseal(one, data_key, f"{tenant}|{patient}|patient|data_key|{patient}"), f"{tenant}|{patient}")
            except InvalidTag:
                continue
        raise ValueError("no key of the tenant opens the patient's")


class Vault:
    """Seals and opens what is known of one patient, each value bound to its table, column and row."""

    def __init__(self, key, subject):
        self.cipher, self.subject = AESGCM(key), subject

    def open(self, box, table, column, row):
        return unseal(self.cipher, box, f"{self.subject}|{table}|{column}|{row}")

    def seal(self, plain, table, column, row):
        """Makes version byte ‖ nonce ‖ ciphertext ‖ tag."""
        nonce = secrets.token_bytes(12)
        return b"\x01" + nonce + self.cipher.encrypt(nonce, plain, f"{self.subject}|{table}|{column}|{row}".encode())


verifier, keyring = Verifier(os.environ["JWT_PUBLIC_KEYS_FILE"]), Keyring(os.environ["MASTER_KEY_FILE"])


def may(*roles):
    async def caller(authorization: Annotated[str, Header()] = ""):
        who = verifier.caller(authorization)
        if who is None:
            raise HTTPException(401, "token_invalid")
        if set(roles).isdisjoint(who["roles"]):
            raise HTTPException(403, "forbidden")
        return who
    return Depends(caller)
