"""Redis flushed, the broker stopped, services killed: slower perhaps, wrong never (R2, R4, R8, R9).

Last by name, because it disturbs everybody; it leaves the stack whole.
"""
import os
import signal
import subprocess
import time

import pytest

from clinic import Clinic, Unexpected, new_doctor, today, unique

OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "10"))  # by hand: OUTAGE_SECONDS=60


def redis(env, *command):
    port = env["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]
    return subprocess.run(["redis-cli", "-p", port, "-a", env["TEST_REDIS_PASSWORD"], "--no-auth-warning", *command],
                          check=True, capture_output=True, text=True).stdout


def board(client, provider):
    today_ = client.get(f"/v1/queue/today?providerId={provider['id']}").json
    return {state: [(t["id"], t["number"]) for t in today_[state]] for state in ("waiting", "withDoctor", "completed", "skipped")}


def test_a_flushed_redis_loses_no_token_and_no_number(env, reception, own_doctor, make_patient):
    client, provider = own_doctor
    arrive = lambda: reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})  # noqa: E731
    tokens = [arrive() for _ in range(6)]
    first = client.post("/v1/queue/next", expect=200)
    before = board(client, provider)
    display = reception.get(f"/v1/queue/display?locationId={tokens[0].json.get('locationId', '')}", expect=None)

    redis(env, "FLUSHALL")
    assert board(client, provider) == before
    if display.status == 200:
        again = reception.get(f"/v1/queue/display?locationId={tokens[0]['locationId']}")
        numbers = lambda a: [t["number"] for t in a["items"]] if "items" in a.json else str(a.json)  # noqa: E731
        assert numbers(again) == numbers(display)
    later = arrive()
    assert int(later["number"].split("-")[1]) > max(int(t["number"].split("-")[1]) for t in tokens)
    redis(env, "FLUSHALL")
    client.call("PATCH", f"/v1/queue/{first['id']}", {"status": "COMPLETED"}, expect=200)
    called = []
    for _ in range(6):
        token = client.post("/v1/queue/next", expect=200)
        called.append(token["id"])
        client.call("PATCH", f"/v1/queue/{token['id']}", {"status": "COMPLETED"}, expect=200)
    assert called == [t["id"] for t in tokens[1:]] + [later["id"]]


def test_without_redis_the_queue_goes_on(stack, reception, own_doctor, make_patient):
    client, provider = own_doctor
    stack("stop", "redis")
    try:
        token = reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})
        assert board(client, provider)["waiting"] == [(token["id"], token["number"])]
        assert client.post("/v1/queue/next", expect=200)["id"] == token["id"]
    finally:
        stack("start", "redis")


def test_with_the_broker_stopped_every_write_succeeds_and_all_facts_arrive_after(
        stack, env, database, admin, reception, pharmacist, own_doctor, make_patient, make_slots, make_medicine):
    client, provider = own_doctor
    admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(today()), "to": str(today()), "start": "00:00",
                                  "end": "23:45", "slotMinutes": 15}, key=unique())
    stack("stop", "rabbitmq")
    began = time.monotonic()
    try:
        # The whole journey of patients and a medicine that no card anywhere has heard of.
        patients = [make_patient() for _ in range(3)]
        medicine = make_medicine(batches=((20, 100),))
        slot = reception.get(f"/v1/slots?providerId={provider['id']}&date={today()}&status=free")["items"][0]
        booked = reception.post("/v1/appointments", {"slotId": slot["id"], "patientId": patients[0]["id"]})
        reception.post("/v1/queue/check-in", {"appointmentId": booked["id"]})
        reception.post("/v1/queue/walk-in", {"patientId": patients[1]["id"], "providerId": provider["id"]})
        token = client.post("/v1/queue/next", expect=200)
        visit = client.post("/v1/visits", {"patientId": patients[0]["id"], "tokenId": token["id"]})
        prescription = client.post("/v1/prescriptions", {"visitId": visit["id"], "items": [
            {"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 2, "durationDays": 5}]})
        client.post(f"/v1/visits/{visit['id']}/complete", expect=200)
        invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"})
        reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"})
        dispensed = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]})
        while time.monotonic() - began < OUTAGE:
            make_patient()
            time.sleep(0.2)
    finally:
        stack("start", "rabbitmq")

    # After: the token completes, the audit trail is whole, nothing waits in any outbox, and every effect is single.
    client.eventually(f"/v1/queue/today?providerId={provider['id']}", lambda a: token["id"] in [t["id"] for t in a["completed"]], seconds=60)
    trail = admin.eventually(f"/v1/reports/audit-logs?resourceId={dispensed['id']}", lambda a: a["items"], seconds=60)
    assert len(trail["items"]) == 1
    reception.eventually(f"/v1/appointments/{booked['id']}", lambda a: a["status"] == "fulfilled", seconds=60)
    assert_outboxes_drain(database)
    audits_arrive_once(database)


def assert_outboxes_drain(database, seconds=60):
    until = time.monotonic() + seconds
    while True:
        left = {s: database.execute(f"select count(*) from {s}.outbox where published_at is null").fetchone()[0]
                for s in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications")}
        if not any(left.values()):
            return
        assert time.monotonic() < until, left
        time.sleep(0.1)


def audits_arrive_once(database, seconds=60):
    """What reporting has is what all services wrote, entry for entry."""
    written = " union all ".join(
        f"""select id from {s}.outbox where type = 'audit.entry.recorded.v1' union all
            select (e->>'id')::uuid from {s}.outbox, json_array_elements(data->'entries') e where type = 'audit.access.recorded.v1'"""
        for s in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting"))
    until = time.monotonic() + seconds
    while True:
        lost, extra = database.execute(f"""
            with written as ({written}) select (select count(*) from (select id from written except select id from reporting.audit_entry) x),
                (select count(*) from (select id from reporting.audit_entry except select id from written) x)""").fetchone()
        if lost == extra == 0:
            break
        assert time.monotonic() < until, f"{lost} audit entries did not arrive, {extra} came from nowhere"
        time.sleep(0.1)
    # And says what was written, whether it came alone or with others.
    said = " union all ".join(f"select id, tenant_id, occurred_at, actor, traceparent, data::jsonb as data from {s}.outbox where type = 'audit.entry.recorded.v1'"
                              for s in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting"))
    compared, altered = database.execute(f"""
        select count(*), count(*) filter (where (e.tenant_id, e.actor_id, e.trace, e.service, e.role, e.action, e.resource, e.resource_id, e.allowed, e.before, e.after,
            e.patient_id, e.purpose) is distinct from (w.tenant_id, w.actor, split_part(w.traceparent, '-', 2), w.data ->> 'service', w.data ->> 'role', w.data ->> 'action',
            w.data ->> 'resource', w.data ->> 'resourceId', (w.data ->> 'allowed')::boolean, nullif(w.data -> 'before', 'null'), nullif(w.data -> 'after', 'null'),
            (w.data ->> 'patientId')::uuid, w.data ->> 'purpose') or abs(extract(epoch from e.at - w.occurred_at)) > 0.001)
        from ({said}) w join reporting.audit_entry e using (id)""").fetchone()
    assert compared > 0 and altered == 0, f"{altered} of {compared} audit entries say something else than was written"


def test_what_a_dying_broker_did_not_confirm_is_published_again(stack, env, database, reception, doctor, make_slots, make_patient):
    slots, patient = make_slots(doctor[1])[-6:], make_patient()
    with open(f"{env['POLYCLINIC_PIDS']}/rabbitmq.pid", encoding="ascii") as file:
        broker = int(file.read())
    os.kill(broker, signal.SIGSTOP)  # it takes what is sent to it, as far as the kernel goes, and says nothing
    try:
        booked = [reception.post("/v1/appointments", {"slotId": s["id"], "patientId": patient["id"]}, key=unique())["id"] for s in slots]
        time.sleep(1)  # the relay has sent them and waits for the broker's word
    finally:
        stack("kill", "rabbitmq")
        stack("start", "rabbitmq")
    assert_outboxes_drain(database)
    audits_arrive_once(database, seconds=20)
    until = time.monotonic() + 20
    while database.execute("""
            select count(*) from scheduling.outbox o join reporting.inbox i on i.event_id = o.id
            where o.type = 'scheduling.appointment.booked.v1' and o.subject = any(%s)""", [booked]).fetchone()[0] < len(booked):
        assert time.monotonic() < until, "a booking was marked as published and never arrived"
        time.sleep(0.1)


JOURNEY = ["clinical", "scheduling", "queue", "clinical", "pharmacy", "billing", "billing", "pharmacy", "reporting", "auth", "notifications"]


def test_the_journey_completes_though_a_service_is_killed_between_any_two_steps(
        stack, database, door, admin, reception, pharmacist, own_doctor, make_medicine):
    client, provider = own_doctor
    admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(today()), "to": str(today()), "start": "00:00",
                                  "end": "23:45", "slotMinutes": 15}, key=unique())
    medicine = make_medicine(batches=((20, 100),))
    state = {}

    def register(): state["patient"] = reception.post("/v1/patients", {"name": "Sturdy One", "birthDate": "1960-06-06", "phone": "+919833333333"}, key=unique()).json
    def book():
        slot = reception.get(f"/v1/slots?providerId={provider['id']}&date={today()}&status=free")["items"][0]
        state["booked"] = reception.post("/v1/appointments", {"slotId": slot["id"], "patientId": state["patient"]["id"]}, key=unique()).json
    def check_in(): state["token"] = reception.post("/v1/queue/check-in", {"appointmentId": state["booked"]["id"]}, key=unique()).json
    def call_next(): assert client.post("/v1/queue/next", expect=200)["id"] == state["token"]["id"]
    def start(): state["visit"] = client.post("/v1/visits", {"patientId": state["patient"]["id"], "tokenId": state["token"]["id"]}, key=unique()).json
    def prescribe(): state["prescription"] = client.post("/v1/prescriptions", {"visitId": state["visit"]["id"], "items": [
        {"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 1, "durationDays": 5}]}, key=unique()).json
    def complete(): client.post(f"/v1/visits/{state['visit']['id']}/complete", expect=200)
    def invoice(): state["invoice"] = reception.post("/v1/invoices", {"visitId": state["visit"]["id"], "mode": "AUTO"}, key=unique()).json
    def pay(): reception.post(f"/v1/invoices/{state['invoice']['id']}/pay", {"method": "CASH"}, key=unique())
    def dispense(): state["dispensed"] = pharmacist.post("/v1/dispensing", {"prescriptionId": state["prescription"]["id"]}, key=unique()).json
    def see(): admin.eventually(f"/v1/reports/audit-logs?resourceId={state['dispensed']['id']}", lambda a: a["items"], seconds=30)

    for step, victim in zip([register, book, check_in, call_next, start, prescribe, complete, invoice, pay, dispense, see], JOURNEY):
        retry(step)
        stack("kill", victim)
        stack("start", victim)
    retry(see)
    reception.eventually(f"/v1/appointments/{state['booked']['id']}", lambda a: a["status"] == "fulfilled", seconds=30)
    assert_outboxes_drain(database)
    audits_arrive_once(database)
    assert database.execute("select sum(on_hand) from pharmacy.batch where medicine_id = %s", [medicine["id"]]).fetchone()[0] == 95


def retry(step, seconds=20):
    """As a person would: the step again, while the gateway says that a service is restarting."""
    until = time.monotonic() + seconds
    while True:
        try:
            return step()
        except Unexpected as refusal:
            if " 503," not in str(refusal) or time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_the_stack_is_whole_again(door):
    door.eventually("/health", lambda a: a["status"] == "ready")
