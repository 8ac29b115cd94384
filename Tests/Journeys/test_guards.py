"""The guards in the database, each asked to let something wrong through; and facts and requests that come twice.

Services refuse these things before the database has to. These tests are for the day when one forgets to.
"""
import re
import time

import psycopg
import pytest

from clinic import new_doctor, today, unique


@pytest.fixture(scope="module")
def walked(door, site, admin, reception, pharmacist):
    """The ids of one whole journey: every table has a row to copy."""
    client, provider = new_doctor(admin, "Dr. Guard")
    day = str(today())
    admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": day, "to": day, "start": "00:00", "end": "23:45",
                                  "slotMinutes": 15}, key=unique())
    slots = reception.get(f"/v1/slots?providerId={provider['id']}&date={day}&status=free")["items"]
    patient, other = (reception.post("/v1/patients", {"name": "Guard Rail", "birthDate": "1980-02-29", "phone": f"+91987654321{n}"},
                                     key=unique())["id"] for n in (0, 1))
    medicine = pharmacist.post("/v1/inventory/medicines", {
        "name": unique("Guardol"), "form": "tablet", "unitPrice": {"amount": 100, "currency": "INR"}, "taxPercent": 12}, key=unique())["id"]
    batch = pharmacist.post("/v1/inventory/batches", {"medicineId": medicine, "lotNumber": unique("LOT"), "quantity": 50,
                                                      "expiryDate": str(today().replace(year=today().year + 1))}, key=unique())["id"]
    booked = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": patient})["id"]
    later = reception.post("/v1/appointments", {"slotId": slots[1]["id"], "patientId": other})["id"]
    waiting = reception.post("/v1/queue/walk-in", {"patientId": other, "providerId": provider["id"]})["id"]
    token = reception.post("/v1/queue/check-in", {"appointmentId": booked})["id"]
    client.post("/v1/queue/next", expect=200)
    visit = client.post("/v1/visits", {"patientId": patient, "tokenId": token})["id"]
    prescription = client.post("/v1/prescriptions", {"visitId": visit, "items": [
        {"medicineId": medicine, "dose": 1, "frequencyPerDay": 2, "durationDays": 5}]})["id"]
    client.post(f"/v1/visits/{visit}/complete", expect=200)
    invoice = reception.post("/v1/invoices", {"visitId": visit, "mode": "AUTO"})["id"]
    key = unique("guard")
    reception.post(f"/v1/invoices/{invoice}/pay", {"method": "CASH"}, key=key)
    dispensing = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription})["id"]
    return {"slot": slots[0]["id"], "free": slots[2]["id"], "booked": booked, "later": later, "waiting": waiting, "token": token, "visit": visit, "patient": patient,
            "other": other, "invoice": invoice, "batch": batch, "medicine": medicine, "prescription": prescription, "dispensing": dispensing, "key": key}


def copied(table, where, **changes):
    """A statement that inserts the row again with these columns changed."""
    pairs = ", ".join(f"'{name}', {value}" for name, value in {"id": "gen_random_uuid()", **changes}.items())
    return f"insert into {table} ({{columns:{table}}}) select {{columns:{table}}} from (select (jsonb_populate_record(r, jsonb_build_object({pairs}))).* from {table} r where {where}) as copied"


def spelled(statement, database):
    """With the columns that can be written; others are generated."""
    def columns(match):
        return database.execute("""select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
            where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''""", [match[1]]).fetchone()[0]
    return re.sub(r"\{columns:([a-z_.]+)\}", columns, statement)


GUARDS = {
    "appointment_one_per_slot": copied("scheduling.appointment", "id = %(booked)s", patient_id="%(other)s::text"),
    "appointment_patient_in_one_place": copied("scheduling.appointment", "id = %(later)s", slot_id="%(free)s::text"),
    "appointment_request_ends": "update scheduling.appointment set status = 'requested', answer_by = null where id = %(later)s",
    "slot_provider_in_one_place": copied("scheduling.slot", "id = %(slot)s"),
    "token_one_per_appointment": copied("queue.token", "id = %(token)s", sequence="999999", status="'WAITING'"),
    "token_one_per_walk_in": copied("queue.token", "id = %(waiting)s", sequence="999999"),
    "token_number_unique": copied("queue.token", "id = %(token)s", appointment_id="gen_random_uuid()", status="'WAITING'"),
    "token_one_with_doctor": "update queue.token set status = 'WITH_DOCTOR' where id in (%(token)s, %(waiting)s)",
    "batch_on_hand_never_negative": "update pharmacy.batch set on_hand = -1 where id = %(batch)s",
    "prescription_item_card_never_exceeded":
        "update pharmacy.prescription_item_card set dispensed = prescribed + 1 where prescription_id = %(prescription)s",
    "dispensing_by_another": copied("pharmacy.dispensing", "id = %(dispensing)s", prescribed_by="dispensed_by"),
    "stock_movement_batch_known": """
        insert into pharmacy.stock_movement (id, tenant_id, batch_id, medicine_id, kind, delta, actor_id, at, local_date)
        select gen_random_uuid(), tenant_id, gen_random_uuid(), medicine_id, 'IN', 1, id, now(), current_date from pharmacy.batch where id = %(batch)s""",
    "invoice_never_overpaid": "update billing.invoice set received = total + 1 where id = %(invoice)s",
    "invoice_never_over_refunded": "update billing.invoice set refunded = received + 1 where id = %(invoice)s",
    "invoice_paid_when_settled": "update billing.invoice set status = 'ISSUED' where id = %(invoice)s",
    "invoice_frozen": "update billing.invoice set number = number || 'x' where id = %(invoice)s",
    "ledger_entry_balances": """
        insert into billing.ledger_line (entry_id, position, tenant_id, account, amount, currency)
        select id, 99, tenant_id, 'cash', 1, 'INR' from billing.ledger_entry where invoice_id = %(invoice)s limit 1""",
    "licence_seen_whole": "update auth.licence set seen = '{licence}' where status = 'verified'",
    "proxy_grant_of_a_child_has_an_end": """
        insert into auth.proxy_grant (id, tenant_id, account_id, patient_id, relation, proof, valid_from, granted_by, granted_at)
        select gen_random_uuid(), tenant_id, id, gen_random_uuid(), 'parent', 'birth_certificate', current_date, gen_random_uuid(), now()
        from auth.account limit 1""",
    "visit_signed": "update clinical.visit set local_date = local_date + 1 where id = %(visit)s",
    "visit_one_open": """
        insert into clinical.visit (id, tenant_id, patient_id, practitioner_id, location_id, local_date, started_at, findings)
        select gen_random_uuid(), tenant_id, patient_id, practitioner_id, location_id, local_date, started_at, ''
        from clinical.visit, generate_series(1, 2) where id = %(visit)s""",
    "visit_observation_said_once": """
        with v as (insert into clinical.visit (id, tenant_id, patient_id, practitioner_id, location_id, local_date, started_at, findings)
            select gen_random_uuid(), tenant_id, patient_id, practitioner_id, location_id, local_date, started_at, '' from clinical.visit
            where id = %(visit)s returning id, tenant_id)
        insert into clinical.visit_observation (visit_id, tenant_id, code, value, sealed_value, unit, recorded_by)
        select id, tenant_id, '8867-4', 137, 'a box', '/min', id from v""",
    "prescription_item_said_once": "update clinical.prescription_item set name = 'Guardol' where prescription_id = %(prescription)s",
    "inbox_handled_once": "insert into reporting.inbox (reaction, event_id) select reaction, event_id from reporting.inbox limit 1",
    "outbox_fact_once": copied("billing.outbox", "revision > 0 and subject = %(invoice)s", seq="-1").replace(
        ") select", ") overriding system value select"),
    "idempotency_key_once": """
        insert into billing.idempotency (tenant_id, account_id, key, request_hash, answer)
        select tenant_id, account_id, key, request_hash, answer from billing.idempotency where key = %(key)s""",
}


@pytest.mark.parametrize("guard", GUARDS)
def test_the_database_itself_refuses(guard, walked, database):
    tenant = database.execute("select tenant_id from clinical.visit where id = %s", [walked["visit"]]).fetchone()[0]
    with pytest.raises(psycopg.errors.IntegrityError) as refused, database.transaction(force_rollback=True):
        database.execute("select set_config('app.tenant', %s, true)", [str(tenant)])
        database.execute(spelled(GUARDS[guard], database), walked)
        database.execute("set constraints all immediate")
    assert refused.value.diag.constraint_name == guard, refused.value


KEPT = {  # what is written once: no service may change or delete it, whatever its code tries
    "reporting": ["audit_entry"], "billing": ["payment", "ledger_entry", "ledger_line", "credit_note"],
    "pharmacy": ["stock_movement", "dispensing", "dispensing_line"], "clinical": ["patient_version", "visit_version", "visit_note", "visit_snapshot", "visit_addendum"],
}


@pytest.mark.parametrize("service", KEPT)
def test_what_is_written_once_cannot_be_changed_by_its_service(service, database):
    for table in KEPT[service]:
        for right in ("update", "delete", "truncate"):
            may = database.execute("select has_table_privilege(%s, %s, %s)", [f"polyclinic_{service}", f"{service}.{table}", right])
            assert may.fetchone() == (False,), (table, right)


def test_stock_is_written_by_its_movements_only(database):
    may = database.execute("select has_column_privilege('polyclinic_pharmacy', 'pharmacy.batch', 'on_hand', 'update')")
    assert may.fetchone() == (False,)


def pay_once(reception, make_prescription, doctor, make_medicine):
    visit, _ = make_prescription(doctor, make_medicine())
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"}, key=unique())
    return reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"}, key=unique())["id"], invoice["total"]["amount"]


def until_true(database, statement, *values, seconds=20):
    end = time.monotonic() + seconds
    while not database.execute(statement, values).fetchone()[0]:
        assert time.monotonic() < end, (statement, values)
        time.sleep(0.02)


COUNTED = "select exists (select from reporting.inbox i join billing.outbox o on o.id = i.event_id where o.subject = %s and o.type = 'billing.payment.received.v1' and i.reaction = 'reporting.count-payment')"


def test_a_fact_that_comes_twice_counts_once(reception, doctor, make_medicine, make_prescription, database):
    takings = lambda: database.execute("select coalesce(sum(amount), 0)::bigint from reporting.daily_takings where method = 'CASH'").fetchone()[0]  # noqa: E731
    first, _ = pay_once(reception, make_prescription, doctor, make_medicine)
    until_true(database, COUNTED, first)
    before = takings()
    database.execute("update billing.outbox set published_at = null where subject = %s and type = 'billing.payment.received.v1'", [first])
    until_true(database, "select published_at is not null from billing.outbox where subject = %s and type = 'billing.payment.received.v1'", first)
    # Another fact behind it in the same queue: when that one is counted, the repetition has had its chance.
    second, amount = pay_once(reception, make_prescription, doctor, make_medicine)
    until_true(database, COUNTED, second)
    assert takings() - before == amount


def test_next_steps_over_a_token_that_a_desk_is_changing(reception, own_doctor, make_patient, env):
    client, provider = own_doctor
    tokens = [reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})["id"] for _ in range(2)]
    with psycopg.connect(env["POSTGRES_URL"]) as desk:
        desk.execute("select from queue.token where id = %s for update", [tokens[0]])
        assert client.post("/v1/queue/next", expect=200)["id"] == tokens[1]


def test_a_repetition_is_never_refused_for_what_the_first_one_did(reception, make_patient, doctor, make_slots, at_once):
    """Twenty times at once with one key: one booking, and nobody is told that the slot is taken or the patient busy."""
    for slot in make_slots(doctor[1])[-20:]:
        body, key = {"slotId": slot["id"], "patientId": make_patient()["id"]}, unique("once")
        answers = at_once([lambda: reception.call("POST", "/v1/appointments", body, key=key)] * 12)
        assert {(a.status, a.code) for a in answers} <= {(201, None), (409, "request_in_progress")}, answers
        assert len({a["id"] for a in answers if a.status == 201}) == 1


def test_a_board_that_another_replica_changed_is_not_shown_as_it_was(reception, own_doctor, make_patient, database):
    client, provider = own_doctor
    token = reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})["id"]
    shown = lambda state: [t["id"] for t in client.get(f"/v1/queue/today?providerId={provider['id']}")[state]]  # noqa: E731
    time.sleep(0.2)  # the copies in memory and in Redis are made by now
    assert shown("waiting") == [token]
    with database.transaction():  # what a process beside ours does, without its word through Redis
        database.execute("update queue.token set status = 'SKIPPED', version = version + 1 where id = %s", [token])
        database.execute("""update queue.queue_day d set version = d.version + 1 from queue.token t
            where t.id = %s and (d.location_id, d.local_date) = (t.location_id, t.local_date)""", [token])
    assert (shown("waiting"), shown("skipped")) == ([], [token])
