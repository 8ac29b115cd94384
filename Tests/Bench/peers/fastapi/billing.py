import datetime
import secrets
import uuid
from typing import Annotated, Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from database import change, uuid7
from safety import may
from waiting import today

router = APIRouter()

INVOICE = """insert into invoice (id, number, visit_id, patient_id, location_id, mode, created_by, created_at, status, currency, subtotal, discount, tax, total, local_date, version)
values ($1, $2, $3, $4, $5, 'MANUAL', $6, $7, 'DRAFT', 'INR', $8, 0, $9, $10, $11, 1)"""
LINE = """insert into invoice_line (invoice_id, position, sealed_description, quantity, unit_price, tax_basis_points, subtotal, discount, tax, total)
values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)"""
UPDATE = "update invoice set status = $2, received = $3, local_date = $4, issued_at = $5, version = $6 where id = $1"


def rupees(amount):
    return {"amount": amount, "currency": "INR"}


class Money(BaseModel):
    amount: Annotated[int, Field(ge=0)]
    currency: Literal["INR"]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    description: Annotated[str, Field(max_length=200)]
    quantity: Annotated[int, Field(ge=1)]
    unitPrice: Money
    taxPercent: Annotated[float, Field(ge=0, le=100)]

    def figures(self):
        gross = self.quantity * self.unitPrice.amount
        return gross, (gross * round(self.taxPercent * 100) * 2 + 10000) // 20000


class Invoice(BaseModel):
    model_config = ConfigDict(extra="forbid")
    visitId: uuid.UUID
    mode: Literal["MANUAL"]
    lines: Annotated[list[Line], Field(min_length=1)]


def audited(status, number, total, received=0):
    return {"status": status, "number": number, "total": total, "discount": 0, "received": received, "refunded": 0, "currency": "INR"}


def sealed(cipher, text):
    nonce = secrets.token_bytes(12)
    return b"\x01" + nonce + cipher.encrypt(nonce, text, b"")


async def sealer_of_words(db, patient):
    """As the services do, under a key that a patient's first bill makes. It is one of nobody: they must never meet one that they did not wrap."""
    key = secrets.token_bytes(32)
    cipher = AESGCM(key)
    if await db.fetchval("select wrapped from data_key where person_id = $1", patient) is None:
        await db.execute("insert into data_key (person_id, wrapped) values ($1, $2) on conflict (person_id) do nothing", uuid7(), sealed(cipher, key))
    return cipher


@router.post("/v1/invoices")
async def invoice(wish: Invoice, request: Request, who: Annotated[dict, may("reception", "admin")]):
    now, id = datetime.datetime.now(datetime.UTC), uuid7()
    day = today(who["zone"], now)
    async with change(request, "billing", who) as made:
        card = await made.db.fetchrow("select patient_id, location_id from visit_card where visit_id = $1", wish.visitId)
        if card is None:
            raise HTTPException(422, "visit_unknown")
        last = await made.db.fetchval("""insert into invoice_counter (series, year, last) values ('INV', $1, 1)
            on conflict (tenant_id, series, year) do update set last = invoice_counter.last + 1 returning last""", day.year)
        number, sums = f"INV-{day.year}-{last:06}", [line.figures() for line in wish.lines]
        subtotal, tax = (sum(column) for column in zip(*sums))
        await made.db.execute(INVOICE, id, number, wish.visitId, card["patient_id"], card["location_id"], who["sub"], now, subtotal, tax, subtotal + tax, day)
        views, sealer = [], await sealer_of_words(made.db, card["patient_id"])
        for at, (line, (gross, part)) in enumerate(zip(wish.lines, sums)):
            await made.db.execute(LINE, id, at, sealed(sealer, line.description.encode()), line.quantity, line.unitPrice.amount, round(line.taxPercent * 100), gross, part, gross + part)
            views.append({"position": at + 1, "description": line.description, "quantity": line.quantity, "unitPrice": rupees(line.unitPrice.amount), "taxPercent": line.taxPercent,
                          "subtotal": rupees(gross), "discount": rupees(0), "tax": rupees(part), "total": rupees(gross + part)})
        made.audit("billing", "create", "invoice", id, audited("DRAFT", number, subtotal + tax), patient=card["patient_id"], purpose="HPAYMT")
        made.answers(201, {
            "id": id, "number": number, "status": "DRAFT", "mode": "MANUAL", "visitId": wish.visitId, "patientId": card["patient_id"], "localDate": day, "createdAt": now,
            "subtotal": rupees(subtotal), "discount": rupees(0), "tax": rupees(tax), "total": rupees(subtotal + tax), "paid": rupees(0), "refunded": rupees(0),
            "due": rupees(subtotal + tax), "lines": views, "prescriptionIds": []})
    return made.answer


class Payment(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: Literal["CASH", "CARD", "UPI"]


async def post(db, invoice, kind, now, day, lines):
    id = uuid7()
    await db.execute("insert into ledger_entry (id, invoice_id, kind, at, local_date) values ($1, $2, $3, $4, $5)", id, invoice, kind, now, day)
    for at, (account, amount) in enumerate(lines):
        await db.execute("insert into ledger_line (entry_id, position, account, amount, currency) values ($1, $2, $3, $4, 'INR')", id, at, account, amount)


@router.post("/v1/invoices/{id}/pay")
async def pay(id: uuid.UUID, wish: Payment, request: Request, who: Annotated[dict, may("reception", "admin")]):
    """Issues a draft and takes all that is due, with both ledger entries."""
    now, payment = datetime.datetime.now(datetime.UTC), uuid7()
    day = today(who["zone"], now)
    async with change(request, "billing", who) as made:
        row = await made.db.fetchrow("select number, visit_id, patient_id, status, subtotal, tax, total, received, refunded, version, "
                                     "(select wrapped from data_key where person_id = patient_id) from invoice where id = $1 for update", id)
        if row is None:
            raise HTTPException(404, "not_found")
        await made.db.fetch("select sealed_description, quantity, unit_price, tax_basis_points, subtotal, discount, tax from invoice_line where invoice_id = $1 order by position", id)
        prescriptions = [r[0] for r in await made.db.fetch("select prescription_id from invoice_prescription where invoice_id = $1 order by 1", id)]
        if row["status"] != "DRAFT":
            raise HTTPException(409, "invoice_paid")
        total, number, version = row["total"], row["number"], row["version"]
        owed = {"invoiceId": id, "visitId": row["visit_id"], "patientId": row["patient_id"], "prescriptionIds": prescriptions, "total": rupees(total), "localDate": day}
        await made.db.execute(UPDATE, id, "ISSUED", 0, day, now, version + 1)
        await post(made.db, id, "ISSUE", now, day, [("receivable", total), ("revenue", row["tax"] - total), ("tax", -row["tax"])])
        made.announce("billing.invoice.issued.v1", id, version + 1, {**owed, "number": number})
        await made.db.execute(UPDATE, id, "PAID", total, day, now, version + 2)
        await made.db.execute("insert into payment (id, invoice_id, kind, method, amount, currency, actor_id, at, local_date) values ($1, $2, 'PAYMENT', $3, $4, 'INR', $5, $6, $7)",
                              payment, id, wish.method, total, who["sub"], now, day)
        await post(made.db, id, "PAYMENT", now, day, [(wish.method.lower(), total), ("receivable", -total)])
        made.announce("billing.payment.received.v1", payment, 1, {"paymentId": payment, "invoiceId": id, "method": wish.method, "paid": rupees(total), "due": rupees(0), "localDate": day})
        made.announce("billing.invoice.paid.v1", id, version + 2, owed)
        made.audit("billing", "pay", "invoice", id, audited("PAID", number, total, total), audited("DRAFT", number, total), patient=row["patient_id"], purpose="HPAYMT")
        made.answers(201, {
            "id": payment, "invoiceId": id, "kind": "PAYMENT", "method": wish.method, "amount": rupees(total), "at": now, "invoice": {
                "id": id, "number": number, "status": "PAID", "total": rupees(total), "paid": rupees(total), "refunded": rupees(0), "due": rupees(0)}})
    return made.answer
