import uuid
from typing import Annotated

import orjson
from fastapi import APIRouter, HTTPException, Request, Response

from database import json, left_entry, tenant
from safety import keyring, may

router = APIRouter()

READ_PATIENT = """select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted
from patient p join data_key k on k.person_id = p.id where p.id = $1"""
# Names in clear: who writes the whole name or begins it is found by the b-tree, who misspells it by trigrams.
NAME = "select id, mrn, name, to_char(birth_date, 'YYYY-MM-DD') as born, sex, phone, active from bench.name "
BEGUN = NAME + """where tenant_id = current_setting('app.tenant')::uuid
    and lower(name) ~>=~ lower($1) and lower(name) ~<~ (lower($1) || chr(1114111)) order by lower(name) using ~<~ limit 10"""
SIMILAR = NAME + "where tenant_id = current_setting('app.tenant')::uuid and name % $1 order by similarity(name, $1) desc, id limit 10"


@router.get("/v1/patients/{id}")
async def read_patient(id: uuid.UUID, request: Request, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")]):
    async with tenant(request.app.state.clinical, who) as db:
        row = await db.fetchrow(READ_PATIENT, id)
        if row is None:
            raise HTTPException(404, "not_found")
        await left_entry(db, who, "clinical", action="read", resource="patient", resourceId=id, patientId=id, after={"ground": "role"})
        wrapping = keyring.tenants.get(who["tid"]) or await keyring.tenant(db, who["tid"])
    personal = keyring.vault(wrapping, who["tid"], id, row["wrapped"]).open(row["personal"], "patient", "personal", id)
    if not {"doctor", "nurse"} & set(who["roles"]):  # The desk is not told what somebody suffers from.
        personal = json({name: value for name, value in orjson.loads(personal).items() if name not in ("allergies", "conditions")})
    body = json({
        "id": row["id"], "mrn": f"MRN-{row['mrn']:06}", "active": row["active"], "locationId": row["location_id"],
        "registeredAt": row["registered_at"], "restricted": row["restricted"],
    })
    if len(personal) > 2:  # Both are objects: their members become one object's.
        body = body[:-1] + b"," + personal[1:]
    return Response(body, 200, {"ETag": f'"{row["version"]}"'}, "application/json")


def line(row):
    members = {"id": row["id"], "mrn": f"MRN-{row['mrn']:06}", "name": row["name"], "birthDate": row["born"], "sex": row["sex"],
               "phone": row["phone"], "active": row["active"]}
    return {name: value for name, value in members.items() if value is not None}


@router.get("/v1/patients")
async def search_patients(search: str, request: Request, who: Annotated[dict, may("reception", "doctor", "nurse", "admin")], limit: int = 10):
    async with tenant(request.app.state.clinical, who) as db:
        rows = await db.fetch(BEGUN, search) or await db.fetch(SIMILAR, search)
    return Response(json({"items": [line(row) for row in rows]}), 200, media_type="application/json")
