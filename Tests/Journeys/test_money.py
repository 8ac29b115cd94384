"""Money and stock against an oracle written with exact fractions, and the books of the whole database."""
import random
from fractions import Fraction

from clinic import unique


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def expected(lines, discount):
    """(subtotal, discount, tax, total): discount first, spread by largest remainder, tax per line, halves up."""
    gross = [quantity * price for quantity, price, _ in lines]
    subtotal = sum(gross)
    off = half_up(Fraction(subtotal) * Fraction(str(discount["percent"])) / 100) if "percent" in discount else discount.get("amount", {}).get("amount", 0)
    shares = [Fraction(off * g, subtotal) if subtotal else Fraction(0) for g in gross]
    parts = [int(share) for share in shares]
    order = sorted(range(len(lines)), key=lambda i: (-(shares[i] - parts[i]), i))
    for index in order[:off - sum(parts)]:
        parts[index] += 1
    tax = sum(half_up(Fraction(g - part) * Fraction(str(rate)) / 100) for g, part, (_, _, rate) in zip(gross, parts, lines))
    return [subtotal, off, tax, subtotal - off + tax]


def amounts(answer, *names):
    return [answer[name]["amount"] for name in names]


def inr(amount):
    return {"amount": amount, "currency": "INR"}


def test_every_invoice_is_right_to_the_paisa(reception, doctor, make_patient):
    chance = random.Random(20261120)
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    for _ in range(60):
        lines = [(chance.randint(1, 99), chance.choice([0, 1, 3, 250, 1180, 99_999]), chance.choice([0, 5, 12, 18, 28, 12.5, 0.01]))
                 for _ in range(chance.randint(1, 9))]
        subtotal = sum(q * p for q, p, _ in lines)
        discount = chance.choice([{}, {"percent": chance.choice([0, 10, 33.33, 99.99, 100])}, {"amount": inr(chance.randint(0, subtotal))}])
        invoice = reception.post("/v1/invoices", {
            "visitId": visit["id"], "mode": "MANUAL", **({"discount": discount} if discount else {}),
            "lines": [{"description": "x", "quantity": q, "unitPrice": inr(p), "taxPercent": r} for q, p, r in lines]})
        assert amounts(invoice, "subtotal", "discount", "tax", "total") == expected(lines, discount), (lines, discount)
        for name in ("subtotal", "discount", "tax", "total"):
            assert sum(line[name]["amount"] for line in invoice["lines"]) == invoice[name]["amount"]
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)


def test_whatever_is_paid_and_refunded_the_sums_hold(reception, admin, doctor, make_patient):
    chance = random.Random(11)
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    for _ in range(10):
        invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "MANUAL", "lines": [
            {"description": "x", "quantity": 3, "unitPrice": inr(chance.randint(1, 9_999)), "taxPercent": 18}]})
        path, total = f"/v1/invoices/{invoice['id']}", invoice["total"]["amount"]
        paid = refunded = 0
        for _ in range(10):
            amount = chance.randint(1, total)
            if chance.random() < 0.6:
                due = total - paid
                answer = reception.call("POST", path + "/pay", {"method": chance.choice(["CASH", "CARD", "UPI"]), "amount": inr(amount)})
                assert answer.code == (None if amount <= due else "amount_exceeds_due" if due else "invoice_paid"), answer
                paid += amount if answer.status == 201 else 0
            else:
                answer = admin.call("POST", path + "/refunds", {"amount": inr(amount), "reason": "x"})
                assert answer.status == (201 if amount <= paid - refunded else 409 if invoice["status"] == "DRAFT" and not paid else 422), answer
                refunded += amount if answer.status == 201 else 0
            invoice = reception.get(path)
            assert amounts(invoice, "paid", "refunded", "due") == [paid - refunded, refunded, total - paid]
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)


def test_stock_survives_everybody_at_once(pharmacist, make_medicine, at_once, database):
    medicine = make_medicine(batches=((10, 40), (20, 40)))
    first, second = medicine["batches"]

    def adjust(batch, delta):
        return pharmacist.call("PATCH", f"/v1/inventory/batches/{batch['id']}", {"delta": delta, "reason": "count"})

    answers = at_once([lambda b=b, d=d: adjust(b, d) for b in (first, second) for d in [-7] * 8 + [3] * 4])
    assert {answer.status for answer in answers} <= {200, 409}
    for batch in (first, second):
        on_hand, total, lowest = database.execute("""
            select b.on_hand, sum(m.delta), min(m.on_hand) from pharmacy.batch b join pharmacy.stock_movement m on m.batch_id = b.id
            where b.id = %s group by b.on_hand""", [batch["id"]]).fetchone()
        assert on_hand == total >= 0 <= lowest


def test_a_medicine_sent_twice_under_one_key_is_one(pharmacist):
    key, medicine = unique("key"), {"name": unique(), "form": "gel", "unitPrice": inr(1)}
    answers = [pharmacist.post("/v1/inventory/medicines", medicine, key=key) for _ in range(2)]
    assert answers[0]["id"] == answers[1]["id"]


def test_the_books_of_the_whole_clinic_agree(database):
    def count(query):
        return database.execute(f"select count(*) from ({query}) wrong").fetchone()[0]

    assert count("select entry_id from billing.ledger_line group by entry_id, currency having sum(amount) <> 0") == 0
    assert count("""select i.id from billing.invoice i where status <> 'DRAFT' and due <> coalesce((
        select sum(l.amount) from billing.ledger_line l join billing.ledger_entry e on e.id = l.entry_id
        where e.invoice_id = i.id and l.account = 'receivable'), 0)""") == 0
    assert count("""select i.id from billing.invoice i where received <> coalesce((
        select sum(amount) from billing.payment p where p.invoice_id = i.id and kind = 'PAYMENT'), 0) or refunded <> coalesce((
        select sum(amount) from billing.credit_note c where c.invoice_id = i.id), 0)""") == 0
    assert count("""select series from billing.invoice_counter c where series = 'INV' and last <> (
        select count(*) from billing.invoice i where i.tenant_id = c.tenant_id and i.number like 'INV-' || c.year || '-%')""") == 0
    assert count("""select id from pharmacy.batch b where on_hand <> coalesce((
        select sum(delta) from pharmacy.stock_movement m where m.batch_id = b.id), 0)""") == 0
    assert count("""select item_id from pharmacy.prescription_item_card c where dispensed <> coalesce((
        select sum(quantity) from pharmacy.dispensing_line l where l.prescription_item_id = c.item_id), 0)""") == 0
    assert count("""select l.batch_id from pharmacy.dispensing_line l join pharmacy.dispensing d on d.id = l.dispensing_id
        where l.expiry_date < d.local_date""") == 0
