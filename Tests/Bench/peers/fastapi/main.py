"""A peer for the bench: "read a patient by id" and "book a slot" on the stack's own tables, as one would write them
with FastAPI and asyncpg. See Tests/Bench/README.md for what it does and leaves out."""
import contextlib
import datetime
import os
import secrets
import time
import uuid
from typing import Annotated, Literal

import asyncpg
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from safety import Keyring, Verifier

SET_TENANT = "select set_config('app.tenant', $1, true)"

READ_PATIENT = """select id, mrn, location_id, registered_at, active, version, data_key, personal
from patient where id = $1"""

# The same statement as Services/Scheduling/Appointments/AppointmentStore.swift.
CLAIM_AND_BOOK = """with patient as (
    select is_active from patient_card where patient_id = $2
), claimed as (
    update slot set status = 'booked', version = version + 1
    where id = $1 and status = 'free' and starts_at > $4
      and (select is_active from patient)
      and exists (select from provider where provider.id = slot.provider_id and provider.is_active)
    returning id, provider_id, location_id, starts_at, ends_at, local_date
), booked as (
    insert into appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at,
                             local_date, modality, priority, reason, booked_by)
    select $3, id, provider_id, $2, location_id, starts_at, ends_at, local_date, $5, $6, $7, $8
    from claimed on conflict do nothing
    returning id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, booked_at
)
select (select is_active from patient) as known, booked.*
from (values (1)) as always left join booked on true"""

INSERT_FACTS = """insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values ($1, 'scheduling.appointment.booked.v1', $3, 1, $4, $5, $6, now()),
       ($2, 'audit.entry.recorded.v1', $3, 0, $4, $5, $7, now())"""


async def nothing_to_reset(_):
    """The tenant is set for one transaction only, so asyncpg's reset on release would be a wasted round trip."""


def pool(service):
    # Connections are opened when they are needed, so a run that only reads or only books has 16 in all.
    return asyncpg.create_pool(os.environ[f"PEER_{service}_URL"], min_size=0, max_size=16, reset=nothing_to_reset)


@contextlib.asynccontextmanager
async def lifespan(app):
    async with pool("CLINICAL") as app.state.patients, pool("SCHEDULING") as app.state.bookings:
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
keyring = Keyring(os.environ["MASTER_KEY_FILE"])
verifier = Verifier(os.environ["JWT_PUBLIC_KEYS_FILE"])


def may(*roles):
    async def caller(authorization: Annotated[str, Header()] = ""):
        who = verifier.caller(authorization)
        if who is None:
            raise HTTPException(401, "token_invalid")
        if who["roles"].isdisjoint(roles):
            raise HTTPException(403, "forbidden")
        return who
    return Depends(caller)


def uuid7():
    ms = time.time_ns() // 1_000_000
    return uuid.UUID(int=ms << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


def json(value):
    # asyncpg's UUID is a subclass, which orjson leaves to us.
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)


@app.get("/livez")
async def livez():
    return "ok"


@app.get("/v1/patients/{id}")
async def read_patient(id: uuid.UUID, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")]):
    async with app.state.patients.acquire() as db, db.transaction():
        await db.execute(SET_TENANT, who["tid"])
        row = await db.fetchrow(READ_PATIENT, id)
        if row is None:
            raise HTTPException(404, "not_found")
        wrapping = keyring.tenants.get(who["tid"]) or await keyring.tenant(db, who["tid"])
    personal = keyring.open(wrapping, who["tid"], str(id), row["data_key"], row["personal"])
    body = json({
        "id": row["id"], "mrn": f"MRN-{row['mrn']:06}", "active": row["active"], "locationId": row["location_id"],
        "registeredAt": row["registered_at"],
    })
    if len(personal) > 2:  # Both are objects: their members become one object's.
        body = body[:-1] + b"," + personal[1:]
    return Response(body, 200, {"ETag": f'"{row["version"]}"'}, "application/json")


class Booking(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slotId: uuid.UUID
    patientId: uuid.UUID
    modality: Literal["in_person", "telemedicine"] = "in_person"
    priority: Literal["routine", "urgent", "emergency"] = "routine"
    reason: Annotated[str | None, Field(max_length=500)] = None


@app.post("/v1/appointments")
async def book(wish: Booking, who: Annotated[dict, may("reception", "admin")]):
    # A refusal is raised inside the transaction: all of it is rolled back.
    async with app.state.bookings.acquire() as db, db.transaction():
        await db.execute(SET_TENANT, who["tid"])
        now = datetime.datetime.now(datetime.UTC)
        row = await db.fetchrow(
            CLAIM_AND_BOOK, wish.slotId, wish.patientId, uuid7(), now, wish.modality, wish.priority, wish.reason, who["sub"])
        if row["known"] is None:
            raise HTTPException(422, "patient_unknown")
        if row["id"] is None:
            raise HTTPException(409, "slot_taken")
        made = {
            "id": row["id"], "status": "booked", "slotId": row["slot_id"], "providerId": row["provider_id"], "patientId": row["patient_id"],
            "locationId": row["location_id"], "date": row["local_date"], "start": row["starts_at"], "end": row["ends_at"],
            "modality": wish.modality, "priority": wish.priority, "bookedAt": row["booked_at"], "version": 1,
        }
        if wish.reason is not None:
            made["reason"] = wish.reason
        fact = {
            "appointmentId": row["id"], "patientId": row["patient_id"], "providerId": row["provider_id"], "locationId": row["location_id"],
            "slotId": row["slot_id"], "start": row["starts_at"], "end": row["ends_at"], "localDate": row["local_date"],
            "modality": wish.modality, "priority": wish.priority,
        }
        audit = {
            "service": "scheduling", "action": "book", "resource": "appointment", "resourceId": row["id"], "role": min(who["roles"]), "allowed": True,
            "after": {name: made[name] for name in ("status", "slotId", "patientId", "providerId", "start")},
        }
        traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        await db.execute(INSERT_FACTS, uuid7(), uuid7(), str(row["id"]), who["sub"], traceparent, json(fact).decode(), json(audit).decode())
    return Response(json(made), 201, {"ETag": '"1"', "Location": f"/v1/appointments/{row['id']}"}, "application/json")
