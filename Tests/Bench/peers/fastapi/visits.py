import datetime
import itertools
import math
import struct
import uuid
from typing import Annotated

import orjson
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from database import change, json, tenant
from safety import keyring, may
from waiting import today

router = APIRouter()

# Whose chart (row p) account $2 of site $3 may open: the rule is Services/Clinical/Charts/ChartGround.swift's.
OPENS = """(exists (select from care_relation c where c.patient_id = p.id and c.ends_at > now()
        and (c.who = $2 or c.who in (select provider_id from provider_card where account_id = $2)))
    or not p.restricted and case coalesce((select policy from chart_policy), 'location')
        when 'tenant' then true
        when 'location' then p.location_id = $3
            or exists (select from care_relation c where c.patient_id = p.id and c.location_id = $3 and c.ends_at > now())
        else false end
    or exists (select from glass_grant g where g.patient_id = p.id and g.account_id = $2 and g.kind = 'opened' and g.expires_at > now()))"""
LOCK = f"""select v.id, v.patient_id, v.location_id, v.local_date, v.status, v.token_id, v.appointment_id, v.started_at, v.version,
    v.findings, k.wrapped,
    (select json_object_agg(o.code, coalesce(o.sealed_value::text, o.value::text))::text from visit_observation o where o.visit_id = v.id) as measured
from visit v join patient p on p.id = v.patient_id join data_key k on k.person_id = p.id where v.id = $1 and {OPENS} for update of v"""
SIGN = """update visit set practitioner_id = $3, status = 'completed', completed_at = $4, findings = $5, version = version + 1
where id = $1 and version = $2 returning version"""
RECORD_NUMBER = f"select p.mrn from patient p join data_key k on k.person_id = p.id where p.id = $1 and {OPENS}"
NOTES = "select id, category, author_id, written_at, body from visit_note where visit_id = $1 order by id limit 1000"
PRESCRIPTIONS = """select p.id, p.visit_id, p.patient_id, p.practitioner_id, p.issued_at, p.local_date, p.valid_until, p.words,
    i.id as item, i.medicine_id, i.sealed_medicine, i.form, i.strength, i.dose_unit, i.frequency_per_day, i.duration_days, i.quantity, i.unit
from prescription p join prescription_item i on i.prescription_id = p.id where p.visit_id = $1 order by p.id, i.position limit 5000"""
SNAPSHOT = "insert into visit_snapshot (visit_id, patient_id, local_date, signed_by, signed_at, body) values ($1, $2, $3, $4, $5, $6)"
VITALS = {"8480-6": ("systolic", "mm[Hg]"), "8462-4": ("diastolic", "mm[Hg]"), "8310-5": ("temperatureC", "Cel"), "8867-4": ("pulse", "/min"),
          "9279-1": ("respiratoryRate", "/min"), "59408-5": ("spo2", "%"), "29463-7": ("weightKg", "kg"), "8302-2": ("heightCm", "cm")}


class Signature(BaseModel):
    model_config = ConfigDict(extra="forbid")


@router.post("/v1/visits/{id}/complete")
async def complete(id: uuid.UUID, _: Signature, request: Request, who: Annotated[dict, may("doctor")]):
    """Signs: the visit never changes again, and all of it is kept as it was signed."""
    now, account = datetime.datetime.now(datetime.UTC), uuid.UUID(who["sub"])
    async with tenant(request.app.state.clinical, who) as db:
        until = await db.fetchval("select licensed_until from licence_card where account_id = $1", account)
        wrapping = keyring.tenants.get(who["tid"]) or await keyring.tenant(db, who["tid"])
    if until is None or until < today(who["zone"], now):
        raise HTTPException(422, "practitioner_unlicensed")
    async with change(request, "clinical", who) as made:
        row = await made.db.fetchrow(LOCK, id, account, who["loc"])
        if row is None:
            raise HTTPException(404, "not_found")
        vault = keyring.vault(wrapping, who["tid"], row["patient_id"], row["wrapped"])
        found = vault.open(row["findings"], "visit", "findings", id)
        vitals, observations = measured(vault, row)
        if row["status"] != "in_progress":
            raise HTTPException(409, "visit_signed")
        version = await made.db.fetchval(SIGN, id, row["version"], account, now, vault.seal(found, "visit", "findings", id))
        if version is None:
            raise HTTPException(412, "stale_version")
        visit = known({
            "id": id, "status": "completed", "patientId": row["patient_id"], "practitionerId": account, "locationId": row["location_id"],
            "localDate": row["local_date"], "tokenId": row["token_id"], "appointmentId": row["appointment_id"], "startedAt": row["started_at"],
            "completedAt": now, "diagnoses": [], **orjson.loads(found), "vitals": vitals, "observations": observations})
        await keep(made.db, visit, vault, who)
        completed = {"visitId": id, **{name: visit[name] for name in (
            "patientId", "practitionerId", "tokenId", "appointmentId", "locationId", "localDate", "completedAt") if name in visit}}
        made.announce("clinical.visit.completed.v1", id, version, completed)
        made.audit("clinical", "complete", "visit", id, {"status": "completed"}, {"status": row["status"]}, patient=row["patient_id"])
        made.answers(200, visit, ETag=f'"{version}"')
    return made.answer


async def keep(db, visit, vault, who):
    """Seals the whole visit as it was signed."""
    mrn = await db.fetchval(RECORD_NUMBER, visit["patientId"], who["sub"], who["loc"])
    if mrn is None:
        raise HTTPException(422, "patient_unknown")
    notes = [{"id": row["id"], "category": row["category"], "text": vault.open(row["body"], "visit_note", "body", row["id"]).decode(),
              "authorId": row["author_id"], "writtenAt": row["written_at"]} for row in await db.fetch(NOTES, visit["id"])]
    # Rows of one prescription stand together.
    groups = itertools.groupby(await db.fetch(PRESCRIPTIONS, visit["id"]), key=lambda row: row["id"])
    prescriptions = [prescription(vault, list(rows)) for _, rows in groups]
    body = json({**visit, "mrn": f"MRN-{mrn:06}", "notes": notes, "prescriptions": prescriptions})
    await db.execute(SNAPSHOT, visit["id"], visit["patientId"], visit["localDate"], visit["practitionerId"], visit["completedAt"],
                     vault.seal(body, "visit_snapshot", "body", visit["id"]))


def prescription(vault, rows):
    head = rows[0]
    words = orjson.loads(vault.open(head["words"], "prescription", "words", head["id"]))
    items = []
    for row, instructions in itertools.zip_longest(rows, words["instructions"][:len(rows)]):
        medicine = orjson.loads(vault.open(row["sealed_medicine"], "prescription_item", "sealed_medicine", row["item"]))
        items.append(known({
            "id": row["item"], "medicineId": row["medicine_id"], "medicineName": medicine["name"], "genericName": medicine.get("genericName"),
            "form": row["form"], "strength": row["strength"], "dose": whole(medicine["dose"] / 1000), "doseUnit": row["dose_unit"],
            "frequencyPerDay": row["frequency_per_day"], "durationDays": row["duration_days"], "quantity": row["quantity"], "unit": row["unit"],
            "instructions": instructions}))
    return known({
        "id": head["id"], "visitId": head["visit_id"], "patientId": head["patient_id"], "practitionerId": head["practitioner_id"],
        "issuedAt": head["issued_at"], "localDate": head["local_date"], "validUntil": head["valid_until"],
        "overrideReason": words.get("overrideReason"), "items": items})


def measured(vault, row):
    """What was measured: under the name of each sign, and coded for other systems."""
    resting, vitals, observations = orjson.loads(row["measured"] or "{}"), {}, []

    def add(name, code, value, unit):
        vitals[name] = value
        observations.append({"system": "http://loinc.org", "code": code, "value": value, "unit": unit})

    for code, (name, unit) in VITALS.items():
        if code in resting:
            add(name, code, number(vault, resting[code], f"{row['id']} {code}"), unit)
    if "weightKg" in vitals and "heightCm" in vitals:
        metres = vitals["heightCm"] / 100
        add("bmi", "39156-5", whole(math.floor(vitals["weightKg"] / (metres * metres) * 10 + 0.5) / 10), "kg/m2")
    return vitals, observations


def number(vault, resting, row):
    """A measured value as Postgres writes it: a sealed one begins with \\x, one from before values were sealed does not."""
    if not resting.startswith("\\x"):
        return whole(float(resting))
    return whole(struct.unpack(">d", vault.open(bytes.fromhex(resting[2:]), "visit_observation", "sealed_value", row))[0])


def whole(value):
    return int(value) if value == int(value) else value


def known(members):
    return {name: value for name, value in members.items() if value is not None}
