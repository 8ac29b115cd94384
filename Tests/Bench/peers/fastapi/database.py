"""Postgres as one would use it with asyncpg: a pool for each service's login, one transaction for each request."""
import contextlib
import datetime
import os
import secrets
import time
import uuid

import asyncpg
import orjson
from fastapi import Response

from keys import key_of

SET_TENANT = "select set_config('app.tenant', $1, true)"

INSERT_FACTS = """insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
select id, type, subject, revision, $1, $2, data, now()
from unnest($3::uuid[], $4::text[], $5::text[], $6::int[], $7::json[]) with ordinality as announced (id, type, subject, revision, data, place)
order by place"""


async def nothing_to_reset(_):
    """The tenant is set for one transaction only, so asyncpg's reset on release would be a wasted round trip."""


def pool(service):
    # Connections are opened when they are needed, so a run that only reads or only books has 16 in all.
    return asyncpg.create_pool(os.environ[f"PEER_{service.upper()}_URL"], min_size=0, max_size=16, reset=nothing_to_reset)


@contextlib.asynccontextmanager
async def tenant(pool, who):
    """A transaction for the caller's tenant."""
    async with pool.acquire() as db, db.transaction():
        await db.execute(SET_TENANT, who["tid"])
        yield db


def uuid7():
    ms = time.time_ns() // 1_000_000
    return uuid.UUID(int=ms << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


def json(value):
    # asyncpg's UUID is a subclass, which orjson leaves to us.
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


INSERT_READ = """insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
values ($1, $2, 'audit.access.recorded.v1', $3, 0, $4, $5, now())"""


async def left_entry(db, who, service, **seen):
    """An entry of who reads what, in the transaction of the read."""
    trace = secrets.token_hex(16)
    entry = {"id": uuid7(), "at": datetime.datetime.now(datetime.timezone.utc), "actorId": who["sub"], "role": who["roles"][-1], "allowed": True,
             "purpose": "TREAT", "traceId": trace, **seen}
    await db.execute(INSERT_READ, uuid7(), who["tid"], service, f"00-{trace}-{secrets.token_hex(8)}-01", json({"service": service, "entries": [entry]}).decode())


class Change:
    """A transaction that announces facts: all of them leave in one statement. Its answer is known before it ends: the key keeps it."""

    def __init__(self, db, who):
        self.db, self.who, self.facts, self.patient, self.answer = db, who, [], None, None

    def announce(self, kind, subject, revision, data):
        self.facts.append((uuid7(), kind, str(subject), revision, json(data).decode()))

    def audit(self, service, action, resource, id, after=None, before=None, patient=None, purpose="TREAT"):
        entry = {"service": service, "action": action, "resource": resource, "resourceId": id, "role": self.who["roles"][-1], "allowed": True}
        if before is not None:
            entry["before"] = before
        if after is not None:
            entry["after"] = after
        if patient is not None:  # Whose record it touches, and for which purpose.
            self.patient = patient
            entry |= {"patientId": patient, "purpose": purpose}
        self.announce("audit.entry.recorded.v1", id, 0, entry)

    def answers(self, status, value, **headers):
        self.answer = Response(json(value), status, headers, "application/json")


@contextlib.asynccontextmanager
async def change(request, service, who):
    """A refusal is raised inside: then all of it is rolled back."""
    key = await key_of(request, service, who)
    async with tenant(getattr(request.app.state, service), who) as db:
        if key:
            await key.claim(db)
        made = Change(db, who)
        yield made
        traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        await db.execute(INSERT_FACTS, who["sub"], traceparent, *map(list, zip(*made.facts)))
        if key:
            await key.keep(db, made.answer, made.patient)
