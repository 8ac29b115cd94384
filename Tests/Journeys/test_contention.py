"""What must never happen when many ask for the same thing at once (promises R1, R5, R6, D8)."""
from collections import Counter

from clinic import new_doctor, unique


def codes(answers):
    return Counter((a.status, a.code) for a in answers)


def test_of_200_bookings_of_one_slot_exactly_one_is_made(reception, doctor, make_slots, make_patient, at_once, database):
    slot = make_slots(doctor[1])[0]
    patients = [make_patient() for _ in range(20)]
    answers = at_once([
        lambda p=patients[i % 20]: reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": p["id"]})
        for i in range(200)])
    assert codes(answers) == {(201, None): 1, (409, "slot_taken"): 199}
    live = database.execute("select count(*) from scheduling.appointment where slot_id = %s and status = 'booked'", [slot["id"]])
    assert live.fetchone()[0] == 1


def test_bookings_of_one_moment_are_made_together_and_each_is_its_own(
        reception, admin, own_doctor, make_slots, make_patient, at_once, database):
    slots, patients = make_slots(own_doctor[1], days=6), [make_patient()["id"] for _ in range(16)]
    # Until some were: each alone when none came while another was under way, or the first words of a patient are sealed.
    for _ in range(10):
        wishes = [{"slotId": slots.pop()["id"], "patientId": patient, "reason": unique("why")} for patient in patients]
        desks = [(reception, admin)[i % 2] for i in range(16)]
        keys = [unique("key") for _ in wishes]
        ask = [lambda d=d, w=w, k=k: d.call("POST", "/v1/appointments", w, key=k) for d, w, k in zip(desks, wishes, keys)]
        answers = at_once(ask)
        assert codes(answers) == {(201, None): 16}
        rows = database.execute("select id::text, xmin::text, booked_by::text from scheduling.appointment where id = any(%s)",
                                [[a["id"] for a in answers]]).fetchall()
        if len({transaction for _, transaction, _ in rows}) < 16:
            break
    assert len({transaction for _, transaction, _ in rows}) < 16
    by = {id: account for id, _, account in rows}
    assert len({by[a["id"]] for a in answers[::2]}) == len({by[a["id"]] for a in answers[1::2]}) == 1 and len(set(by.values())) == 2
    entries = database.execute("select subject, actor::text from scheduling.outbox where type like 'audit.%%' and subject = any(%s)",
                               [list(by)]).fetchall()
    assert dict(entries) == by  # the trail says the same
    for wish, once, answer in zip(wishes, ask, answers):
        assert {name: answer[name] for name in wish} == wish
        again = once()
        assert (again.status, again.headers.get("idempotent-replayed"), again["id"]) == (201, "true", answer["id"])


def test_a_refused_booking_leaves_no_key_for_its_words(reception, doctor, make_slots, make_patient, database):
    slot, patient = make_slots(doctor[1])[0]["id"], make_patient()["id"]
    reception.post("/v1/appointments", {"slotId": slot, "patientId": make_patient()["id"]})
    reception.post("/v1/appointments", {"slotId": slot, "patientId": patient, "reason": "chest pain"}, expect=409)
    assert database.execute("select count(*) from scheduling.data_key where person_id = %s", [patient]).fetchone()[0] == 0


def test_no_two_live_appointments_of_a_provider_overlap(database):
    overlaps = database.execute("""
        select count(*) from scheduling.appointment a join scheduling.appointment b
          on a.tenant_id = b.tenant_id and a.provider_id = b.provider_id and a.id < b.id
         and tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
        where a.status in ('booked', 'arrived') and b.status in ('booked', 'arrived')""")
    assert overlaps.fetchone()[0] == 0


def test_a_patient_cannot_be_in_two_places_at_once(reception, admin, make_slots, make_patient, at_once):
    patient = make_patient()
    slots = [make_slots(new_doctor(admin)[1])[0] for _ in range(2)]
    answers = at_once([
        lambda s=s: reception.call("POST", "/v1/appointments", {"slotId": s["id"], "patientId": patient["id"]}) for s in slots])
    assert codes(answers) == {(201, None): 1, (409, "patient_busy"): 1}


def test_twenty_check_ins_of_one_appointment_give_one_token(reception, doctor, make_patient, at_once, database, admin):
    import datetime
    from clinic import today
    client, provider = new_doctor(admin)
    admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(today()), "to": str(today()), "start": "00:00",
                                  "end": "23:45", "slotMinutes": 15}, key=unique())
    slot = reception.get(f"/v1/slots?providerId={provider['id']}&date={today()}&status=free")["items"][0]
    booked = reception.post("/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]})
    answers = at_once([lambda: reception.call("POST", "/v1/queue/check-in", {"appointmentId": booked["id"]})] * 20)
    assert codes(answers) == {(201, None): 1, (409, "already_checked_in"): 19}
    tokens = database.execute("select count(*) from queue.token where appointment_id = %s", [booked["id"]])
    assert tokens.fetchone()[0] == 1


def test_twenty_calls_of_next_by_three_doctors_give_no_token_twice(reception, admin, make_patient, at_once):
    doctors = [new_doctor(admin) for _ in range(3)]
    for _, provider in doctors:
        for _ in range(3):
            reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]}, key=unique())
    answers = at_once([lambda c=doctors[i % 3][0]: c.call("POST", "/v1/queue/next", {}) for i in range(20)])
    called = [a["id"] for a in answers if a.status == 200]
    assert len(called) == len(set(called)) == 3  # one serving token per doctor
    assert codes(a for a in answers if a.status != 200) == {(409, "already_serving"): 17}


def test_token_numbers_have_no_gap_and_no_twin(reception, own_doctor, make_patient, at_once, database, env):
    patients = [make_patient() for _ in range(20)]
    answers = at_once([
        lambda p=p: reception.call("POST", "/v1/queue/walk-in", {"patientId": p["id"], "providerId": own_doctor[1]["id"]})
        for p in patients])
    assert codes(answers) == {(201, None): 20}
    numbers = sorted(int(a["number"].split("-")[1]) for a in answers)
    assert len(set(a["number"] for a in answers)) == 20
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_of_twenty_dispenses_of_one_prescription_one_succeeds(
        reception, pharmacist, doctor, make_medicine, make_prescription, at_once, database):
    medicine = make_medicine(batches=((10, 6), (50, 30)))
    visit, prescription = make_prescription(doctor, medicine)  # 1 × 2 × 5 = 10
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"}, key=unique())
    reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"}, key=unique())
    answers = at_once([lambda: pharmacist.call("POST", "/v1/dispensing", {"prescriptionId": prescription["id"]})] * 20)
    assert codes(answers) == {(201, None): 1, (409, "already_dispensed"): 19}
    stock = database.execute("""
        select sum(b.on_hand), (select sum(m.delta) from pharmacy.stock_movement m join pharmacy.batch x on x.id = m.batch_id
                                where x.medicine_id = %(m)s)
        from pharmacy.batch b where b.medicine_id = %(m)s""", {"m": medicine["id"]}).fetchone()
    assert stock[0] == stock[1] == 26


def test_stock_is_the_sum_of_its_movements_everywhere(database):
    wrong = database.execute("""
        select count(*) from pharmacy.batch b
        where on_hand <> (select coalesce(sum(delta), 0) from pharmacy.stock_movement m where m.batch_id = b.id)""")
    assert wrong.fetchone()[0] == 0


def test_more_prescriptions_than_stock_hand_out_only_the_stock(
        reception, pharmacist, doctor, make_medicine, make_prescription, at_once, database):
    medicine = make_medicine(batches=((10, 25), (50, 10)))
    ready = []
    for _ in range(8):  # 8 × 10 against 35
        visit, prescription = make_prescription(doctor, medicine)
        invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"}, key=unique())
        reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "UPI"}, key=unique())
        ready.append(prescription)
    answers = at_once([lambda p=p: pharmacist.call("POST", "/v1/dispensing", {"prescriptionId": p["id"]}) for p in ready])
    assert codes(answers) == {(201, None): 3, (409, "insufficient_stock"): 5}
    left = database.execute("select sum(on_hand) from pharmacy.batch where medicine_id = %s", [medicine["id"]])
    assert left.fetchone()[0] == 5


def test_of_twenty_payments_of_one_invoice_one_is_taken(reception, doctor, make_medicine, make_prescription, at_once, database):
    visit, _ = make_prescription(doctor, make_medicine())
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"}, key=unique())
    answers = at_once([lambda: reception.call("POST", f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"})] * 20)
    assert codes(answers) == {(201, None): 1, (409, "invoice_paid"): 19}
    paid = database.execute("select count(*) from billing.payment where invoice_id = %s", [invoice["id"]])
    assert paid.fetchone()[0] == 1


def test_twenty_bills_for_one_visit_make_one_invoice(reception, doctor, make_medicine, make_prescription, at_once):
    visit, _ = make_prescription(doctor, make_medicine())
    answers = at_once([lambda: reception.call("POST", "/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"})] * 20)
    assert codes(answers) == {(201, None): 1, (409, "invoice_exists"): 19}


def test_the_ledger_balances(database):
    unbalanced = database.execute("select count(*) from (select entry_id from billing.ledger_line group by entry_id having sum(amount) <> 0) x")
    assert unbalanced.fetchone()[0] == 0


def test_one_idempotency_key_makes_one_patient_however_often_it_is_sent(reception, at_once):
    key, body = unique("key"), {"name": "Once Only", "birthDate": "1999-09-09", "phone": "+919811111111"}
    answers = at_once([lambda: reception.call("POST", "/v1/patients", body, key=key)] * 10)
    made = {a["id"] for a in answers if a.status == 201}
    assert len(made) == 1
    assert set(codes(answers)) <= {(201, None), (409, "request_in_progress")}
    assert reception.post("/v1/patients", body, key=key)["id"] in made
    other = reception.call("POST", "/v1/patients", {**body, "name": "Somebody Else"}, key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
