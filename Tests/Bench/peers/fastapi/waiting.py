import datetime
import uuid
import zoneinfo
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

from database import change, json, left_entry, tenant, uuid7
from safety import may

router = APIRouter()
URGENCY = {"emergency": 0, "urgent": 1, "routine": 2}

# The same statements as Services/Queue/Tokens/TokenStore.swift.
ISSUE = """with counted as (
    insert into queue_day as d (location_id, local_date, last_sequence)
    select $4, $6, 1 where not exists (select from token where appointment_id = $5 and status <> 'LEFT')
    on conflict on constraint queue_day_key do update
    set last_sequence = d.last_sequence + 1, version = d.version + 1
    returning last_sequence
), issued as (
    insert into token (id, sequence, patient_id, provider_id, location_id, appointment_id, local_date, priority, urgency, lane, due_at, issued_at)
    select $1, last_sequence, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from counted
    on conflict do nothing
    returning *
)
select 1 + (select count(*) from token t where t.provider_id = $3 and t.local_date = $6 and t.status = 'WAITING'
            and (t.urgency, t.lane, t.due_at, t.sequence) < (issued.urgency, issued.lane, issued.due_at, issued.sequence)) as position, issued.* from issued"""

# Who may not practise calls nobody.
LICENSED_PROVIDER = """select p.provider_id from provider_card p join licence_card l on l.account_id = p.account_id and l.licensed_until >= $2
where p.account_id = $1"""

CALL = """with called as (
    update token set status = 'WITH_DOCTOR', called_at = $3, version = version + 1,
        waited_seconds = coalesce(waited_seconds, greatest(extract(epoch from $3::timestamptz - issued_at)::int, 0))
    where id = (select id from token where provider_id = $1 and local_date = $2 and status = 'WAITING'
                and not exists (select from token s where s.provider_id = $1 and s.local_date = $2 and s.status = 'WITH_DOCTOR')
                order by urgency, lane, due_at, sequence limit 1 for no key update skip locked)
    returning *
), bumped as (
    update queue_day d set version = d.version + 1 from called where d.location_id = called.location_id and d.local_date = called.local_date
)
select * from called"""


def number(sequence):
    turn, at = divmod(sequence - 1, 999)
    return f"{chr(65 + turn % 26) * (turn // 26 + 1)}-{at + 1:03}"


def view(row, position=None, **shown):
    members = {"id": row["id"], "number": number(row["sequence"]), "status": row["status"], "providerId": row["provider_id"], "patientId": row["patient_id"],
               "appointmentId": row["appointment_id"], "locationId": row["location_id"], "date": row["local_date"], "priority": row["priority"], "position": position,
               "issuedAt": row["issued_at"], "calledAt": row["called_at"], "completedAt": row["completed_at"], "version": row["version"], **shown}
    return {name: value for name, value in members.items() if value is not None}


def trace(token):
    return {name: token[name] for name in ("status", "number", "patientId", "providerId")}


def today(zone, now):
    return now.astimezone(zoneinfo.ZoneInfo(zone)).date()


class Arrival(BaseModel):
    model_config = ConfigDict(extra="forbid")
    appointmentId: uuid.UUID


@router.post("/v1/queue/check-in")
async def check_in(wish: Arrival, request: Request, who: Annotated[dict, may("reception", "admin")]):
    now, pool = datetime.datetime.now(datetime.UTC), request.app.state.queue
    async with tenant(pool, who) as db:
        card = await db.fetchrow("select patient_id, provider_id, location_id, starts_at, local_date, status, priority from appointment_card where appointment_id = $1", wish.appointmentId)
        if card is None:
            raise HTTPException(422, "appointment_unknown")
        zone = await db.fetchval("select zone from location_card where location_id = $1", card["location_id"])
    if card["status"] in ("cancelled", "fulfilled"):
        raise HTTPException(422, f"appointment_{card['status']}")
    if today(zone, now) != card["local_date"]:
        raise HTTPException(422, "not_today")
    on_time = now <= card["starts_at"] + datetime.timedelta(minutes=15)
    async with change(request, "queue", who) as made:
        row = await made.db.fetchrow(ISSUE, uuid7(), card["patient_id"], card["provider_id"], card["location_id"], wish.appointmentId, card["local_date"], card["priority"],
                                     URGENCY[card["priority"]], 0 if on_time else 1, card["starts_at"] if on_time else now, now)
        if row is None:
            raise HTTPException(409, "already_checked_in")
        token = view(row, row["position"])
        made.announce("queue.token.issued.v1", token["id"], 1, {"tokenId": token["id"], "number": token["number"], "patientId": token["patientId"],
                      "providerId": token["providerId"], "locationId": token["locationId"], "appointmentId": token["appointmentId"], "localDate": token["date"],
                      "priority": token["priority"], "issuedAt": token["issuedAt"]})
        made.audit("queue", "check-in", "token", token["id"], trace(token), patient=trace(token)["patientId"])
        made.answers(201, token)
    return made.answer


class Call(BaseModel):
    model_config = ConfigDict(extra="forbid")


@router.post("/v1/queue/next")
async def call_next(_: Call, request: Request, who: Annotated[dict, may("doctor")]):
    now, pool = datetime.datetime.now(datetime.UTC), request.app.state.queue
    day = today(who["zone"], now)
    async with tenant(pool, who) as db:
        provider = await db.fetchval(LICENSED_PROVIDER, uuid.UUID(who["sub"]), day)
    if provider is None:
        raise HTTPException(422, "provider_unknown")
    async with change(request, "queue", who) as made:
        await made.db.execute("select from provider_card where provider_id = $1 for update", provider)
        row = await made.db.fetchrow(CALL, provider, day, now)
        if row is None:
            serving = await made.db.fetchval("select exists (select from token where provider_id = $1 and local_date = $2 and status = 'WITH_DOCTOR')", provider, day)
            raise HTTPException(409 if serving else 204, "already_serving")
        token = view(row)
        made.announce("queue.token.called.v1", token["id"], token["version"], {"tokenId": token["id"], "patientId": token["patientId"], "providerId": token["providerId"],
                      "locationId": token["locationId"], "localDate": token["date"], "waitedSeconds": row["waited_seconds"], "calledAt": token["calledAt"]})
        made.audit("queue", "call", "token", token["id"], trace(token), patient=trace(token)["patientId"])
        made.answers(200, token)
    return made.answer


# The whole day in one statement, each state in its own order: who waits by place, who was called by when, the rest by number.
DAY = """select p.room, p.said, p.until, t.*
from token t left join (select provider_id, room, status as said, until from presence) p on p.provider_id = t.provider_id
where t.location_id = $1 and t.local_date = $2
order by case status when 'WAITING' then urgency end, case status when 'WAITING' then lane end,
    case status when 'WAITING' then due_at when 'WITH_DOCTOR' then coalesce(called_at, issued_at)
        when 'COMPLETED' then coalesce(completed_at, issued_at) end, sequence
limit 10000"""
LISTS = {"WAITING": "waiting", "WITH_DOCTOR": "withDoctor", "COMPLETED": "completed", "SKIPPED": "skipped", "LEFT": "left"}
# What a consultation takes before anybody was seen, and the bounds that keep one odd one from frightening everybody.
USUAL, SHORTEST, LONGEST = 600, 180, 3600


@router.get("/v1/queue/today")
async def board(request: Request, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")], locationId: uuid.UUID | None = None):
    location, now = locationId or uuid.UUID(who["loc"]), datetime.datetime.now(datetime.UTC)
    async with tenant(request.app.state.queue, who) as db:
        zone = await db.fetchval("select zone from location_card where location_id = $1", location)
        if zone is None:
            raise HTTPException(404, "not_found")
        day = today(zone, now)
        rows = await db.fetch(DAY, location, day)
        await left_entry(db, who, "queue", action="list", resource="queue", resourceId=location, after={"date": day})
    shown, waits, ahead = {name: [] for name in LISTS.values()}, paces(rows, now), {}
    for row in rows:
        back = row["until"] is not None and row["until"] <= now  # Without having said so.
        more = {"room": row["room"], "presence": "online" if back else row["said"]}
        if row["status"] == "WAITING":
            # The wait is what is left of the current consultation and one for each who goes before, rounded up.
            each, left = waits[row["provider_id"]]
            before = ahead.get(row["provider_id"], 0)
            ahead[row["provider_id"]] = before + 1
            more |= {"position": before + 1, "estimatedWaitMinutes": (left + before * each + 59) // 60}
        shown[LISTS[row["status"]]].append(view(row, **more))
    return Response(json({"date": day, "locationId": location, **shown}), 200, media_type="application/json")


def paces(rows, now):
    """What a consultation takes with each practitioner today, and what is left of the current one; in seconds."""
    took, serving, waits = {}, {}, {}
    for row in rows:
        if row["status"] == "WITH_DOCTOR":
            serving[row["provider_id"]] = row["called_at"]
        if row["called_at"] and row["completed_at"]:
            took.setdefault(row["provider_id"], []).append(seconds(row["called_at"], row["completed_at"]))
    for provider in {row["provider_id"] for row in rows}:
        seen = took.get(provider, [USUAL])
        each = min(max(sum(seen) // len(seen), SHORTEST), LONGEST)
        waits[provider] = each, max(each - seconds(serving[provider], now), 0) if provider in serving else 0
    return waits


def seconds(begin, end):
    return max(int((end - begin).total_seconds()), 0)
