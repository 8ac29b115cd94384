"""Idempotency-Keys as the services keep them: claimed in the transaction of the change, which keeps the sealed answer too."""
import hashlib

import asyncpg
import orjson
from cryptography.exceptions import InvalidTag
from fastapi import HTTPException, Response

from safety import Vault, keyring

# The same statements as Shared/Bootstrap/Host/Idempotency.swift.
CLAIM = """select pg_try_advisory_xact_lock($1) as ours, stored.request_hash, stored.answer
from (select 1) as one left join idempotency stored on stored.account_id = $2 and stored.key = $3"""
KEEP = "insert into idempotency (account_id, key, request_hash, answer, patient_id) values ($1, $2, $3, $4, $5)"


class Replayed(Exception):
    """The same was asked before: its answer is given again, and nothing changes."""

    def __init__(self, answer):
        self.answer = answer


class Key:
    def __init__(self, name, service, who, asked):
        self.name, self.account, self.hash = name, who["sub"], hashlib.sha256(asked).digest()
        lock = hashlib.sha256(f"{service}|{who['tid']}|{who['sub']}|{name}".encode()).digest()
        self.lock = int.from_bytes(lock[:8], "big", signed=True)
        self.vault = Vault(keyring.answers, f"{who['tid']}|{who['sub']}")

    async def claim(self, db):
        """Raises the stored answer; else the key is now ours to use."""
        found = await db.fetchrow(CLAIM, self.lock, self.account, self.name)
        if found["request_hash"] is None and not found["ours"]:
            raise HTTPException(409, "request_in_progress")
        if found["request_hash"] is None:
            return
        if found["request_hash"] != self.hash:
            raise HTTPException(422, "idempotency_key_reused")
        try:
            plain = self.vault.open(found["answer"], "idempotency", "answer", self.name)
        except (InvalidTag, IndexError):
            raise HTTPException(409, "answer_gone") from None
        raise Replayed(restored(plain))

    async def keep(self, db, answer, patient):
        try:
            await db.execute(KEEP, self.account, self.name, self.hash, self.vault.seal(stored(answer), "idempotency", "answer", self.name), patient)
        except asyncpg.UniqueViolationError:  # Somebody with the same key committed between our look and our lock.
            raise HTTPException(409, "request_in_progress") from None


async def key_of(request, service, who):
    """None for a request without a key."""
    name = request.headers.get("idempotency-key")
    if name is None:
        return None
    if not 1 <= len(name) <= 255 or not all("\x21" <= letter <= "\x7e" for letter in name):
        raise HTTPException(400, "invalid_idempotency_key")
    # Members in one order: the same request in another spelling is the same request.
    members = orjson.dumps(await request.json(), option=orjson.OPT_SORT_KEYS)
    return Key(name, service, who, f"{request.method}|{request.url.path}?{request.url.query}|".encode() + members)


def stored(answer):
    """The status, a line for each header, an empty line, and the body."""
    headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items() if name != "content-length")
    return f"{answer.status_code}\n{headers}\n".encode() + answer.body


def restored(plain):
    head, body = plain.split(b"\n\n", 1)
    status, *headers = head.decode().split("\n")
    return Response(body, int(status), dict(line.split(": ", 1) for line in headers) | {"Idempotent-Replayed": "true"})
