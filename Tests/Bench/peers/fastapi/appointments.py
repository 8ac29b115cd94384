import datetime
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request, Response
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


def slot(row):
    members = {"id": row["id"], "providerId": row["provider_id"], "locationId": row["location_id"], "date": row["local_date"], "start": row["starts_at"],
               "end": row["ends_at"], "status": row["status"], "reason": row["block_reason"], "version": row["version"]}
    return {name: value for name, value in members.items() if value is not None}


@router.get("/v1/slots")
async def slots(providerId: uuid.UUID, date: datetime.date, request: Request, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")], limit: int = 50):
    async with tenant(request.app.state.scheduling, who) as db:
        rows = await db.fetch(SLOTS, providerId, date, limit + 1)
    return Response(json({"items": [slot(row) for row in rows[:limit]]}), 200, media_type="application/json")


class Booking(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slotId: uuid.UUID
    patientId: uuid.UUID
    modality: Literal["in_person", "telemedicine"] = "in_person"
    priority: Literal["routine", "urgent", "emergency"] = "routine"
    reason: Annotated[str | None, Field(max_length=500)] = None


@router.post("/v1/appointments")
async def book(wish: Booking, request: Request, who: Annotated[dict, may("reception", "admin")]):
    async with change(request.app.state.scheduling, who) as made:
        now = datetime.datetime.now(datetime.UTC)
        row = await made.db.fetchrow(
            CLAIM_AND_BOOK, wish.slotId, wish.patientId, uuid7(), now, wish.modality, wish.priority, wish.reason, who["sub"])
        if row["known"] is None:
            raise HTTPException(422, "patient_unknown")
        if row["id"] is None:
            raise HTTPException(409, "slot_taken")
        answer = {
            "id": row["id"], "status": "booked", "slotId": row["slot_id"], "providerId": row["provider_id"], "patientId": row["patient_id"],
            "locationId": row["location_id"], "date": row["local_date"], "start": row["starts_at"], "end": row["ends_at"],
            "modality": wish.modality, "priority": wish.priority, "bookedAt": row["booked_at"], "version": 1,
        }
        if wish.reason is not None:
            answer["reason"] = wish.reason
        made.announce("scheduling.appointment.booked.v1", row["id"], 1, {
            "appointmentId": row["id"], "patientId": row["patient_id"], "providerId": row["provider_id"], "locationId": row["location_id"],
            "slotId": row["slot_id"], "start": row["starts_at"], "end": row["ends_at"], "localDate": row["local_date"],
            "modality": wish.modality, "priority": wish.priority,
        })
        made.audit("scheduling", "book", "appointment", row["id"], {name: answer[name] for name in ("status", "slotId", "patientId", "providerId", "start")}, patient=answer["patientId"])
    return Response(json(answer), 201, {"ETag": '"1"', "Location": f"/v1/appointments/{row['id']}"}, "application/json")
