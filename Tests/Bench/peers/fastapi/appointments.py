import datetime
import uuid
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from database import change, json, tenant, uuid7
from safety import may

router = APIRouter()

SLOTS = """select id, provider_id, location_id, starts_at, ends_at, local_date, status, block_reason, version
from slot where provider_id = $1 and local_date = $2 order by starts_at, id limit $3"""

# The same statement as Services/Scheduling/Appointments/AppointmentStore.swift.
CLAIM_AND_BOOK = """with patient as (
    select is_active from patient_card where patient_id = $2
), claimed as (
    update slot set status = 'booked', version = version + 1
    where id = $1 and status = 'free' and starts_at > $4
      and (select is_active from patient)
      and exists (select from provider where provider.id = slot.provider_id and provider.is_active and provider.licensed_until >= slot.local_date)
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


def slot(row):
    members = {"id": row["id"], "providerId": row["provider_id"], "locationId": row["location_id"], "date": row["local_date"], "start": row["starts_at"],
               "end": row["ends_at"], "status": row["status"], "reason": row["block_reason"], "version": row["version"]}
    return {name: value for name, value in members.items() if value is not None}


@router.get("/v1/slots")
async def slots(providerId: uuid.UUID, date: datetime.date, request: Request, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")], limit: int = 50):
    async with tenant(request.app.state.scheduling, who) as db:
        rows = await db.fetch(SLOTS, providerId, date, limit + 1)
    return Response(json({"items": [slot(row) for row in rows[:limit]]}), 200, media_type="application/json")


def fact(a):
    return {"appointmentId": a["id"], "patientId": a["patient_id"], "providerId": a["provider_id"], "locationId": a["location_id"],
            "slotId": a["slot_id"], "start": a["starts_at"], "end": a["ends_at"], "localDate": a["local_date"],
            "modality": a["modality"], "priority": a["priority"]}


def trace(a):
    return {"status": a["status"], "slotId": a["slot_id"], "patientId": a["patient_id"], "providerId": a["provider_id"], "start": a["starts_at"]}


def view(a):
    members = {"id": a["id"], "status": a["status"], "slotId": a["slot_id"], "providerId": a["provider_id"], "patientId": a["patient_id"],
               "locationId": a["location_id"], "date": a["local_date"], "start": a["starts_at"], "end": a["ends_at"], "modality": a["modality"],
               "priority": a["priority"], "reason": a["reason"], "bookedAt": a["booked_at"], "version": a["version"]}
    return {name: value for name, value in members.items() if value is not None}


class Booking(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slotId: uuid.UUID
    patientId: uuid.UUID
    modality: Literal["in_person", "telemedicine"] = "in_person"
    priority: Literal["routine", "urgent", "emergency"] = "routine"
    reason: Annotated[str | None, Field(max_length=500)] = None


@router.post("/v1/appointments")
async def book(wish: Booking, request: Request, who: Annotated[dict, may("reception", "admin")]):
    async with change(request, "scheduling", who) as made:
        now = datetime.datetime.now(datetime.UTC)
        row = await made.db.fetchrow(
            CLAIM_AND_BOOK, wish.slotId, wish.patientId, uuid7(), now, wish.modality, wish.priority, wish.reason, who["sub"])
        if row["known"] is None:
            raise HTTPException(422, "patient_unknown")
        if row["id"] is None:
            raise HTTPException(409, "slot_taken")
        booked = {**row, "status": "booked", "modality": wish.modality, "priority": wish.priority, "reason": wish.reason, "version": 1}
        made.announce("scheduling.appointment.booked.v1", booked["id"], 1, fact(booked))
        made.audit("scheduling", "book", "appointment", booked["id"], trace(booked), patient=booked["patient_id"])
        made.answers(201, view(booked), ETag='"1"', Location=f"/v1/appointments/{booked['id']}")
    return made.answer


LOCK = """select id, status, slot_id, provider_id, patient_id, location_id, local_date, starts_at, ends_at, modality, priority, reason,
    booked_at, version from appointment where id = $1 for no key update"""
LOCK_SLOTS = """select id, provider_id, location_id, starts_at, ends_at, local_date, status, block_reason, version
from slot where id = any($1::uuid[]) order by id for no key update"""
MOVE = """update appointment set slot_id = $2, provider_id = $3, location_id = $4, starts_at = $5, ends_at = $6, local_date = $7, version = $8
where id = $1"""
PLACE = ("provider_id", "location_id", "starts_at", "ends_at", "local_date")


class Move(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slotId: uuid.UUID


@router.patch("/v1/appointments/{id}")
async def reschedule(id: uuid.UUID, wish: Move, request: Request, who: Annotated[dict, may("reception", "admin")],
                     if_match: Annotated[str, Header()] = ""):
    """Moves an appointment to another slot, if nobody changed it since the caller read it."""
    if not if_match:
        raise HTTPException(428, "precondition_required")
    async with change(request, "scheduling", who) as made:
        # The appointment is locked before the slots, and these in the order of their ids: everybody does, so no two wait for each other.
        row = await made.db.fetchrow(LOCK, id)
        if row is None:
            raise HTTPException(404, "not_found")
        if if_match != f'"{row["version"]}"':
            raise HTTPException(412, "stale_version")
        target = next((one for one in await made.db.fetch(LOCK_SLOTS, [row["slot_id"], wish.slotId]) if one["id"] == wish.slotId), None)
        if target is None:
            raise HTTPException(404, "not_found")
        refuse_move(row, target)
        provider = await made.db.fetchrow("select is_active, licensed_until from provider where id = $1", target["provider_id"])
        if provider is None or not provider["is_active"]:
            raise HTTPException(422, "provider_inactive")
        if provider["licensed_until"] < target["local_date"]:
            raise HTTPException(422, "provider_unlicensed")
        await made.db.execute("update slot set status = 'free', version = version + 1 where id = $1 and status = 'booked'", row["slot_id"])
        await made.db.execute("update slot set status = 'booked', version = version + 1 where id = $1", target["id"])
        moved = {**row, **{name: target[name] for name in PLACE}, "slot_id": target["id"], "version": row["version"] + 1}
        try:
            await made.db.execute(MOVE, id, moved["slot_id"], *(moved[name] for name in PLACE), moved["version"])
        except asyncpg.ExclusionViolationError:
            raise HTTPException(409, "patient_busy") from None
        previous = {"previousStart": row["starts_at"]}
        if row["provider_id"] != moved["provider_id"]:
            previous["previousProviderId"] = row["provider_id"]
        made.announce("scheduling.appointment.rescheduled.v1", id, moved["version"], fact(moved) | previous)
        made.audit("scheduling", "change", "appointment", id, trace(moved), trace(row), patient=moved["patient_id"])
        made.answers(200, view(moved), ETag=f'"{moved["version"]}"')
    return made.answer


def refuse_move(appointment, target):
    if appointment["status"] != "booked":
        raise HTTPException(409, "not_reschedulable")
    if target["status"] == "booked":
        raise HTTPException(409, "slot_taken")
    if target["starts_at"] <= datetime.datetime.now(datetime.UTC):
        raise HTTPException(422, "slot_in_past")
    if target["status"] == "blocked":
        raise HTTPException(409, "slot_blocked")
