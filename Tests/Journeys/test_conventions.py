"""The conventions of the API hold on every kind of resource."""
import re
import urllib.parse
import uuid

import pytest

from clinic import Clinic, unique


def test_errors_are_problems_with_a_trace(reception):
    answer = reception.call("GET", "/v1/patients/00000000-0000-7000-8000-000000000000", headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    assert answer.status == 404 and answer["code"] == "not_found" and answer["type"].startswith("https://")
    assert answer["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert answer.headers["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")


def test_a_change_needs_the_version_it_was_read_at(reception, make_patient):
    patient = make_patient()
    path = f"/v1/patients/{patient['id']}"
    tag = reception.get(path).headers["etag"]
    assert re.fullmatch(r'"[^"]+"', tag)
    assert reception.call("PATCH", path, {"address": "1 Main St"}).status == 428
    changed = reception.call("PATCH", path, {"address": "1 Main St"}, headers={"If-Match": tag}, expect=200)
    assert changed["address"] == "1 Main St" and changed.headers["etag"] != tag
    stale = reception.call("PATCH", path, {"address": "2 Main St"}, headers={"If-Match": tag})
    assert stale.status == 412 and stale.code == "stale_version"
    cleared = reception.patch(path, {"address": None})
    assert cleared.json.get("address") is None


def test_an_idempotency_key_replays_the_answer(reception):
    key, body = unique("key"), {"name": "Replay Me", "birthDate": "1970-01-01", "phone": "+919822222222"}
    first = reception.post("/v1/patients", body, key=key)
    again = reception.post("/v1/patients", body, key=key)
    assert again.bytes == first.bytes and again.headers.get("etag") == first.headers.get("etag")
    assert reception.call("POST", "/v1/patients", body, key="k" * 256).status == 400


def test_lists_go_on_where_they_ended(admin, reception, doctor, make_slots):
    slots = make_slots(doctor[1], days=1, first=3)
    day = slots[0]["start"][:10]
    seen, path = [], f"/v1/slots?providerId={doctor[1]['id']}&date={day}&limit=7"
    while path:
        page = reception.get(path)
        seen += [s["id"] for s in page["items"]]
        assert len(page["items"]) <= 7
        cursor = page.json.get("nextCursor")
        if cursor:
            assert 'rel="next"' in page.headers["link"]
        path = f"/v1/slots?providerId={doctor[1]['id']}&date={day}&limit=7&cursor={cursor}" if cursor else None
    assert len(seen) == len(set(seen)) == 32
    for bad in ("limit=0", "limit=101", "limit=x", "cursor=%%%", "cursor=abc", "colour=red"):
        assert reception.call("GET", f"/v1/slots?providerId={doctor[1]['id']}&{bad}").status == 400, bad


FORBIDDEN = [
    ("doctor2", "POST", "/v1/dispensing", {"prescriptionId": "00000000-0000-7000-8000-000000000000"}),
    ("pharmacist", "POST", "/v1/prescriptions", {"visitId": "00000000-0000-7000-8000-000000000000", "items": []}),
    ("reception", "POST", "/v1/prescriptions", {}), ("reception", "GET", "/v1/reports/audit-logs", None),
    ("nurse", "POST", "/v1/invoices", {}), ("patient", "GET", "/v1/users", None), ("patient", "POST", "/v1/patients", {}),
    ("lab", "POST", "/v1/queue/next", {}), ("reception", "POST", "/v1/users", {}), ("pharmacist", "POST", "/v1/visits", {}),
]


@pytest.mark.parametrize("who, method, path, body", FORBIDDEN)
def test_what_a_role_may_not_do_is_403_and_leaves_an_audit_entry(who, method, path, body, door, admin):
    client, trace = door.as_(who), uuid.uuid4().hex
    answer = client.call(method, path, body, headers={"traceparent": f"00-{trace}-{'1' * 16}-01"})
    assert answer.status == 403 and answer.code == "forbidden" and answer["traceId"] == trace
    me = client.get("/v1/auth/me")["id"]

    asked = urllib.parse.urlencode({"allowed": "false", "action": f"{method} {path}", "resource": "route", "limit": 100})
    admin.eventually(f"/v1/reports/audit-logs?{asked}", lambda page: [e["actorId"] for e in page["items"] if e["traceId"] == trace] == [me])


def test_a_patient_sees_only_the_own_record(patient_account, make_patient, reception, doctor, make_slots):
    me = patient_account.get("/v1/auth/me")
    own = me.json.get("patientId") or me["user"]["patientId"]
    stranger = make_patient("A Stranger")
    assert patient_account.get(f"/v1/patients/{own}")["id"] == own
    assert patient_account.call("GET", f"/v1/patients/{stranger['id']}").status == 404
    assert {p["id"] for p in patient_account.call("GET", "/v1/patients?search=stranger").json.get("items", [])} <= {own}
    assert patient_account.call("GET", f"/v1/patients/{stranger['id']}/visits").status == 404
    slot = make_slots(doctor[1])[5]
    assert patient_account.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": stranger["id"]}).status in (403, 404)
    booked = patient_account.post("/v1/appointments", {"slotId": slot["id"], "patientId": own})
    theirs = reception.post("/v1/appointments", {"slotId": make_slots(doctor[1])[6]["id"], "patientId": stranger["id"]})
    assert patient_account.call("GET", f"/v1/appointments/{theirs['id']}").status == 404
    assert theirs["id"] not in [a["id"] for a in patient_account.get("/v1/appointments")["items"]]
    patient_account.call("DELETE", f"/v1/appointments/{booked['id']}", expect=(200, 204))


def test_reschedule_and_cancel_free_the_time(reception, own_doctor, make_slots, make_patient):
    slots = make_slots(own_doctor[1])
    booked = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": make_patient()["id"]})
    moved = reception.patch(f"/v1/appointments/{booked['id']}", {"slotId": slots[3]["id"]})
    assert moved["slotId"] == slots[3]["id"] and moved["status"] == "booked"
    again = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": make_patient()["id"]})
    taken = reception.call("PATCH", f"/v1/appointments/{again['id']}", {"slotId": slots[3]["id"]}, headers={"If-Match": reception.get(f"/v1/appointments/{again['id']}").headers["etag"]})
    assert taken.status == 409 and taken.code == "slot_taken"
    reception.call("DELETE", f"/v1/appointments/{moved['id']}", {"reason": "Feels better"}, expect=(200, 204))
    reception.post("/v1/appointments", {"slotId": slots[3]["id"], "patientId": make_patient()["id"]})
    assert reception.call("DELETE", f"/v1/appointments/{moved['id']}", {"reason": "Again"}).status == 409


def test_a_blocked_slot_cannot_be_booked_and_a_booked_one_cannot_be_blocked(admin, reception, own_doctor, make_slots, make_patient):
    slots = make_slots(own_doctor[1])
    change = lambda slot, body: admin.call("PATCH", f"/v1/slots/{slot['id']}", body, headers={"If-Match": '"1"'})  # noqa: E731
    assert change(slots[0], {"status": "blocked", "reason": "Lunch"}).status == 200
    refused = reception.call("POST", "/v1/appointments", {"slotId": slots[0]["id"], "patientId": make_patient()["id"]})
    assert (refused.status, refused.code) == (409, "slot_blocked")
    reception.post("/v1/appointments", {"slotId": slots[1]["id"], "patientId": make_patient()["id"]})
    tag = {"If-Match": '"2"'}
    refused = admin.call("PATCH", f"/v1/slots/{slots[1]['id']}", {"status": "blocked"}, headers=tag)
    assert (refused.status, refused.code) == (409, "slot_booked")


def test_the_safety_alert_wants_a_reason(doctor, make_patient, make_medicine):
    client, _ = doctor
    medicine = make_medicine(form="capsule", atc="J01CA04", genericName="Amoxicillin")
    visit = client.post("/v1/visits", {"patientId": make_patient(allergies=["Amoxicillin"])["id"]})
    body = {"visitId": visit["id"], "items": [{"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 3, "durationDays": 7}]}
    alert = client.call("POST", "/v1/prescriptions", body)
    assert (alert.status, alert.code) == (422, "safety_alert") and alert["errors"][0]["pointer"].startswith("/items/0")
    assert client.post("/v1/prescriptions", {**body, "overrideReason": "Tolerated before, supervised"})["items"][0]["quantity"] == 21
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)


def test_a_nurse_records_vitals_and_nothing_else(nurse, doctor, make_patient):
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    path = f"/v1/visits/{visit['id']}"
    assert nurse.patch(path, {"vitals": {"pulse": 72}})["vitals"]["pulse"] == 72
    assert nurse.call("PATCH", path, {"treatmentPlan": "x"}, headers={"If-Match": nurse.get(path).headers["etag"]}).status == 403
    client.post(path + "/complete", expect=200)
    late = client.post(path + "/addenda", {"text": "Lab result came later"}, key=unique())
    assert late.status == 201
    assert client.call("POST", path + "/notes", {"category": "SYMPTOM", "text": "x"}).code == "visit_signed"


def test_refunds_make_a_credit_note_and_never_exceed_what_was_paid(reception, admin, doctor, make_patient):
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "MANUAL", "lines": [
        {"description": "Consultation", "quantity": 1, "unitPrice": {"amount": 50000, "currency": "INR"}}]}, key=unique())
    reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"}, key=unique())
    path = f"/v1/invoices/{invoice['id']}/refunds"
    refund = reception.post(path, {"amount": {"amount": 10000, "currency": "INR"}, "reason": "Waiting too long"}, key=unique())
    assert "CN-" in str(refund.json)
    too_much = admin.call("POST", path, {"amount": {"amount": 40001, "currency": "INR"}, "reason": "All"})
    assert too_much.status == 422


def test_every_event_and_route_is_documented(door, admin):
    document = door.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1") and len(document["paths"]) > 40
    events = door.get("/docs/asyncapi.json").json
    assert events["asyncapi"].startswith("3.") and "scheduling.appointment.booked.v1" in str(events)
    assert b"scheduling.appointment.booked.v1" in door.get("/docs/events").bytes
    assert b"swagger" in door.get("/docs").bytes.lower()


def test_the_openapi_document_is_valid(door):
    from openapi_spec_validator import validate
    validate(door.get("/v1/openapi.json").json)
