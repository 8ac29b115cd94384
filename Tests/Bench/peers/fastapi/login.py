"""What Services/Auth/Sessions/SignIn.swift does: attempts counted first, then Argon2id, then the session."""
import asyncio
import base64
import concurrent.futures
import datetime
import hashlib
import hmac
import json as plain
import os
import pathlib
import secrets
import time
import uuid

import argon2
import jwt
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from database import change, json, tenant, uuid7
from safety import derive, unseal

router = APIRouter()
MASTER = bytes.fromhex(pathlib.Path(os.environ["MASTER_KEY_FILE"]).read_text().strip())
PEPPER = bytes.fromhex(pathlib.Path(os.environ["PASSWORD_PEPPER_FILE"]).read_text().strip())
INDEX_KEY = bytes.fromhex(pathlib.Path(os.environ["INDEX_KEY_FILE"]).read_text().strip())
INDEX, WRAPPING = derive(INDEX_KEY, "auth e-mail index"), AESGCM(derive(MASTER, "auth tenant keys"))
SIGNING = load_pem_private_key(pathlib.Path(os.environ["JWT_PRIVATE_KEY_FILE"]).read_bytes(), None)
KID = plain.loads(pathlib.Path(os.environ["JWT_PUBLIC_KEYS_FILE"]).read_text())["keys"][0]["kid"]
HASHING, VAULTS = concurrent.futures.ThreadPoolExecutor(2), {}

CREDENTIAL = """select a.password_hash, a.active, a.roles, a.location_id, l.zone, l.currency
from account a join location l on l.id = a.location_id where a.id = $1"""


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: str
    password: str


def mac(key, text):
    return hmac.digest(key, text.encode(), "sha256")


def verify(stored, password):
    peppered = base64.urlsafe_b64encode(mac(PEPPER, password)).rstrip(b"=")
    try:
        return argon2.PasswordHasher().verify(stored, peppered)
    except argon2.exceptions.VerifyMismatchError:
        return False


async def admit(db, email, keys, now):
    for key, limit in zip(keys, (10, 100)):
        await db.execute("insert into login_failure (key, failures, first_at, last_at) values ($1, 0, $2, $2) on conflict (key) do nothing", key, now)
        row = await db.fetchrow("select failures, first_at, last_at from login_failure where key = $1 for update", key)
        failures, first = (row["failures"], row["first_at"]) if now - row["first_at"] < datetime.timedelta(minutes=15) else (0, now)
        if failures >= limit:
            raise HTTPException(429, "too_many_attempts")
        await db.execute("""insert into login_failure (key, failures, first_at, last_at) values ($1, $2, $3, $4)
            on conflict (key) do update set failures = excluded.failures, first_at = excluded.first_at, last_at = excluded.last_at""", key, failures + 1, first, now)
    return await db.fetchrow("select account_id, tenant_id from login where email_index = $1", mac(INDEX, email))


async def name(db, tid, account):
    if tid not in VAULTS:
        VAULTS[tid] = AESGCM(unseal(WRAPPING, await db.fetchval("select wrapped from tenant_key where tenant_id = $1", uuid.UUID(tid)), f"{tid}|auth|tenant_key|1"))
    row = await db.fetchrow("select name, email from account where id = $1", account)
    unseal(VAULTS[tid], row["email"], f"{tid}|auth|account|email|{account}|1")
    return unseal(VAULTS[tid], row["name"], f"{tid}|auth|account|name|{account}|1").decode()


@router.post("/v1/auth/login")
async def login(wish: Wish, request: Request):
    now, pool, email = datetime.datetime.now(datetime.UTC), request.app.state.auth, wish.email.lower()
    keys = mac(INDEX, f"failure|{email}|{request.client.host}"), mac(INDEX, f"failures of|{request.client.host}")
    async with pool.acquire() as db, db.transaction():
        found = await admit(db, email, keys, now)
    if found is None:
        raise HTTPException(401, "invalid_credentials")
    account, tid = found["account_id"], str(found["tenant_id"])
    async with tenant(pool, {"tid": tid}) as db:
        known = await db.fetchrow(CREDENTIAL, account)
    if not await asyncio.get_running_loop().run_in_executor(HASHING, verify, known["password_hash"], wish.password) or not known["active"]:
        raise HTTPException(401, "invalid_credentials")
    async with change(request, "auth", {"tid": tid, "sub": str(account), "roles": known["roles"]}) as made:
        held = await made.db.fetchrow(CREDENTIAL + " for share of a", account)
        if held["password_hash"] != known["password_hash"] or not held["active"]:
            raise HTTPException(401, "invalid_credentials")
        session = uuid7()
        whole = uuid.UUID(tid).bytes + session.bytes + secrets.token_bytes(32)
        await made.db.execute("insert into session (id, account_id, started_at, expires_at) values ($1, $2, $3, $4)", session, account, now, now + datetime.timedelta(hours=12))
        await made.db.execute("insert into refresh_token (hash, session_id, issued_at) values ($1, $2, $3)", hashlib.sha256(whole).digest(), session, now)
        await made.db.execute("delete from login_failure where key = $1", keys[0])
        await made.db.execute("update login_failure set failures = greatest(failures - 1, 0) where key = $1", keys[1])
        shown = await name(made.db, tid, account)
        made.audit("auth", "sign_in", "session", session)
    at = time.time()
    token = jwt.encode({"iss": "polyclinic", "aud": "polyclinic", "sub": str(account), "tid": tid, "roles": held["roles"], "sid": str(session), "loc": str(held["location_id"]),
                        "zone": held["zone"], "cur": held["currency"], "jti": str(uuid7()), "iat": at, "exp": at + 600}, SIGNING, "ES256", {"typ": "at+jwt", "kid": KID})
    return Response(json({"accessToken": token, "refreshToken": base64.urlsafe_b64encode(whole).rstrip(b"=").decode(), "tokenType": "Bearer", "expiresIn": 600,
                          "user": {"id": account, "name": shown, "roles": held["roles"], "tenantId": tid}}), 200, {"Cache-Control": "no-store"}, "application/json")
