import datetime
import uuid
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from database import change, tenant, uuid7
from safety import may
from waiting import today

router = APIRouter()

SHELF = """select id, lot_number, expiry_date, on_hand from batch where medicine_id = any($1::uuid[]) and on_hand > 0 and not quarantined
    and expiry_date >= $2 order by expiry_date, received_at, id for update"""
MOVE = """insert into stock_movement (id, batch_id, medicine_id, kind, delta, dispensing_id, actor_id, at, local_date)
values ($1, $2, $3, 'OUT', $4, $5, $6, $7, $8) returning on_hand, batch_version"""
LINE = """insert into dispensing_line (dispensing_id, position, prescription_item_id, medicine_id, batch_id, lot_number, expiry_date, quantity)
values ($1, $2, $3, $4, $5, $6, $7, $8)"""


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prescriptionId: uuid.UUID


async def take(made, item, missing, id, now, day):
    """First expired, first out."""
    lines, medicine = [], item["medicine_id"]
    shelf = await made.db.fetch(SHELF, [medicine], day)
    for batch in shelf:
        taken = min(missing, batch["on_hand"])
        if not taken:
            continue
        movement = uuid7()
        moved = await made.db.fetchrow(MOVE, movement, batch["id"], medicine, -taken, id, made.who["sub"], now, day)
        made.announce("pharmacy.stock.moved.v1", batch["id"], moved["batch_version"], {"movementId": movement, "batchId": batch["id"], "medicineId": medicine,
                      "kind": "OUT", "delta": -taken, "onHand": moved["on_hand"], "localDate": day})
        missing -= taken
        lines.append({"prescriptionItemId": item["item_id"], "medicineId": medicine, "batchId": batch["id"], "lotNumber": batch["lot_number"],
                      "expiryDate": batch["expiry_date"], "quantity": taken})
    if missing:
        raise HTTPException(409, "insufficient_stock")
    reorder = await made.db.fetchval("select reorder_level from medicine where id = any($1::uuid[]) order by id", [medicine])
    left = await made.db.fetchval("select coalesce(sum(on_hand), 0)::bigint from batch where medicine_id = $1 and on_hand > 0 and not quarantined and expiry_date >= $2", medicine, day)
    if sum(batch["on_hand"] for batch in shelf) >= reorder > left:
        made.announce("pharmacy.stock.ran_low.v1", medicine, 0, {"medicineId": medicine, "onHand": left, "reorderLevel": reorder})
    return lines


@router.post("/v1/dispensing")
async def dispense(wish: Wish, request: Request, who: Annotated[dict, may("pharmacist")]):
    """Hands out all that remains. The bench's prescriptions have one item each."""
    now, id, prescription = datetime.datetime.now(datetime.UTC), uuid7(), wish.prescriptionId
    day = today(who["zone"], now)
    async with tenant(request.app.state.pharmacy, who) as db:
        if not await db.fetchval("select paid from settlement_card where prescription_id = $1", prescription):
            raise HTTPException(422, "invoice_unpaid")
    async with change(request, "pharmacy", who) as made:
        card = await made.db.fetchrow("select patient_id, prescribed_by, valid_until, status, dispensings from prescription_card where prescription_id = $1 for update", prescription)
        item = await made.db.fetchrow("select item_id, medicine_id, prescribed, dispensed from prescription_item_card where prescription_id = $1 order by position", prescription)
        if card["status"] != "active" or day > card["valid_until"]:
            raise HTTPException(422, "prescription_not_active")
        missing = item["prescribed"] - item["dispensed"]
        if not missing:
            raise HTTPException(409, "already_dispensed")
        lines = await take(made, item, missing, id, now, day)
        await made.db.execute("update prescription_card set dispensings = $2 where prescription_id = $1", prescription, card["dispensings"] + 1)
        await made.db.execute("update prescription_item_card set dispensed = $2 where item_id = $1", item["item_id"], item["prescribed"])
        await made.db.execute("insert into dispensing (id, prescription_id, patient_id, complete, prescribed_by, dispensed_by, at, local_date) values ($1, $2, $3, true, $4, $5, $6, $7)",
                              id, prescription, card["patient_id"], card["prescribed_by"], who["sub"], now, day)
        for at, line in enumerate(lines):
            await made.db.execute(LINE, id, at, item["item_id"], item["medicine_id"], line["batchId"], line["lotNumber"], line["expiryDate"], line["quantity"])
        made.announce("pharmacy.prescription.dispensed.v1", prescription, card["dispensings"] + 1, {"dispensingId": id, "prescriptionId": prescription,
                      "patientId": card["patient_id"], "complete": True, "quantity": missing, "localDate": day})
        made.audit("pharmacy", "dispense", "dispensing", id, {"prescriptionId": prescription, "complete": True, "lines": len(lines), "quantity": missing}, patient=card["patient_id"])
        made.answers(201, {"id": id, "prescriptionId": prescription, "patientId": card["patient_id"], "complete": True, "dispensedBy": who["sub"], "at": now, "lines": lines})
    return made.answer
