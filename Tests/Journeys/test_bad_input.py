"""Whatever a client sends gets a clear 4xx with a code, changes nothing, and the process lives."""
import datetime
import json
import urllib.parse
import uuid

import pytest

from clinic import Clinic, today, unique

NOWHERE = str(uuid.uuid4())


def refused(answer, statuses=(400,), code=None):
    assert answer.status in statuses, answer
    assert answer.headers["content-type"].startswith("application/problem+json"), answer
    assert answer["status"] == answer.status and answer["code"] and answer["title"] and answer["traceId"], answer
    if code:
        assert answer.code == code, answer
    return answer


DEEP = b"[" * 100_000
MALFORMED = {
    "truncated": b'{"name": "A', "not json": b"hello", "empty": b"", "trailing": b'{"name":"A"} x', "array": b"[]",
    "deep arrays": DEEP, "deep objects": b'{"a":' * 100_000, "deep inside": b'{"name":' + DEEP + b"}",
    "bad utf-8": b'{"name":"\xff\xfe"}', "raw nul": b'{"name":"a\x00b"}', "escaped nul": b'{"name":"a\\u0000b"}',
    "lone surrogate": b'{"name":"\\ud800"}', "duplicate keys": b'{"name":"A","name":"B"}', "1e999": b'{"name":1e999}',
    "single quotes": b"{'name':'A'}", "comment": b'{"name":"A"/**/}', "nan": b'{"name":NaN}', "utf-16": '{"name":"A"}'.encode("utf-16"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_json_is_refused(reception, what):
    refused(reception.call("POST", "/v1/patients", raw=MALFORMED[what]))


def test_a_body_over_a_megabyte_is_413(reception):
    refused_413 = reception.call("POST", "/v1/patients", raw=b'{"name":"' + b"a" * 1_200_000 + b'"}')
    assert refused_413.status == 413 and refused_413.code


def test_another_content_type_is_415(reception):
    refused(reception.call("POST", "/v1/patients", raw=b"name=A", headers={"Content-Type": "application/x-www-form-urlencoded"}), (415,))


def test_every_wrong_field_is_named_at_once(reception):
    answer = refused(reception.call("POST", "/v1/patients", {"name": 7, "birthDate": "1990-02-30", "sex": "purple", "shoe": 1}), (400,), "invalid_request")
    assert {e["pointer"] for e in answer["errors"]} >= {"/name", "/birthDate", "/sex", "/shoe", "/phone"}
    assert "purple" not in json.dumps(answer.json)


NUMBERS = [1e300, -1e300, 2**63, 2**63 - 1, -2**63, 2**64, 0, -1, 1.5, "12", True, None, [], {}]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_no_number_stops_anything(number, reception, pharmacist, admin, doctor, nurse, make_patient):
    client, provider = doctor
    day = str(today() + datetime.timedelta(days=30))
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    tag = visit.headers["etag"]
    sent = [
        admin.call("POST", "/v1/slots/bulk", {"providerId": provider["id"], "from": day, "to": day, "start": "09:00", "end": "10:00", "slotMinutes": number}),
        pharmacist.call("POST", "/v1/inventory/batches", {"medicineId": NOWHERE, "lotNumber": "L", "expiryDate": day, "quantity": number}),
        pharmacist.call("POST", "/v1/inventory/medicines", {"name": unique(), "form": "tablet", "unitPrice": {"amount": number, "currency": "INR"}, "reorderLevel": number, "taxPercent": number}),
        client.call("PATCH", f"/v1/visits/{visit['id']}", {"vitals": {"systolic": number, "weightKg": number}, "symptomDays": number}, headers={"If-Match": tag}),
        client.call("POST", "/v1/prescriptions", {"visitId": visit["id"], "items": [{"medicineId": NOWHERE, "dose": number, "frequencyPerDay": number, "durationDays": number}]}),
        reception.call("POST", "/v1/invoices", {"visitId": NOWHERE, "mode": "MANUAL", "lines": [{"description": "x", "quantity": number, "unitPrice": {"amount": number, "currency": "INR"}}]}),
        reception.call("POST", "/v1/invoices", {"visitId": NOWHERE, "mode": "AUTO", "discount": {"percent": number}}),
        reception.call("POST", f"/v1/invoices/{NOWHERE}/pay", {"method": "CASH", "amount": {"amount": number, "currency": "INR"}}),
        pharmacist.call("POST", "/v1/dispensing", {"prescriptionId": NOWHERE, "items": [{"prescriptionItemId": NOWHERE, "quantity": number}]}),
        reception.call("GET", f"/v1/patients?search=ab&limit={number}"),
    ]
    for answer in sent:
        assert answer.status < 500, answer
    for index in (0, 1, 4, 7, 8):
        assert 400 <= sent[index].status < 500, (index, sent[index])
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)


def test_unknown_ids_are_404_or_422(reception, pharmacist, doctor, make_patient, make_slots):
    client, provider = doctor
    patient, slot = make_patient(), make_slots(provider)[1]
    for answer in [
        reception.call("GET", f"/v1/patients/{NOWHERE}"), reception.call("GET", "/v1/patients/not-a-uuid"),
        reception.call("POST", "/v1/appointments", {"slotId": NOWHERE, "patientId": patient["id"]}),
        reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": NOWHERE}),
        reception.call("POST", "/v1/queue/check-in", {"appointmentId": NOWHERE}),
        reception.call("POST", "/v1/queue/walk-in", {"patientId": NOWHERE, "providerId": provider["id"]}),
        reception.call("POST", "/v1/queue/walk-in", {"patientId": patient["id"], "providerId": NOWHERE}),
        client.call("POST", "/v1/visits", {"patientId": NOWHERE}),
        client.call("POST", "/v1/prescriptions", {"visitId": NOWHERE, "items": [{"medicineId": NOWHERE, "dose": 1, "frequencyPerDay": 1, "durationDays": 1}]}),
        reception.call("POST", "/v1/invoices", {"visitId": NOWHERE, "mode": "AUTO"}),
        reception.call("POST", f"/v1/invoices/{NOWHERE}/pay", {"method": "CASH"}),
        pharmacist.call("POST", "/v1/dispensing", {"prescriptionId": NOWHERE}),
        pharmacist.call("POST", "/v1/inventory/batches", {"medicineId": NOWHERE, "lotNumber": "L", "expiryDate": "2099-01-01", "quantity": 1}),
        reception.call("GET", "/v1/nothing-here"),
    ]:
        refused(answer, (404, 422))


def test_dates_that_do_not_exist_are_refused(reception, admin, doctor):
    for day in ("2026-02-30", "2026-13-01", "0000-00-00", "26-1-1", "2026-1-1", "tomorrow", ""):
        refused(admin.call("POST", "/v1/slots/bulk", {"providerId": doctor[1]["id"], "from": day, "to": day, "start": "09:00", "end": "10:00", "slotMinutes": 15}))
        refused(reception.call("POST", "/v1/patients", {"name": "A B", "birthDate": day, "phone": "+919812345678"}))
    refused(reception.call("POST", "/v1/patients", {"name": "A B", "birthDate": str(today() + datetime.timedelta(days=2)), "phone": "+919812345678"}), (400, 422))


def test_ranges_that_run_backwards_and_the_past_are_refused(admin, doctor, reception, make_patient, database):
    provider, day = doctor[1]["id"], today() + datetime.timedelta(days=40)
    base = {"providerId": provider, "from": str(day), "to": str(day), "start": "09:00", "end": "10:00", "slotMinutes": 15}
    refused(admin.call("POST", "/v1/slots/bulk", {**base, "to": str(day - datetime.timedelta(days=1))}), (400, 422))
    refused(admin.call("POST", "/v1/slots/bulk", {**base, "start": "10:00", "end": "09:00"}), (400, 422))
    refused(admin.call("POST", "/v1/slots/bulk", {**base, "from": "2020-01-01", "to": "2020-01-02"}), (400, 422))
    refused(admin.call("POST", "/v1/slots/bulk", {**base, "slotMinutes": 20}))
    refused(admin.call("POST", "/v1/slots/bulk", {**base, "weekdays": [0, 8]}))


def test_a_slot_in_the_past_cannot_be_booked(admin, own_doctor, reception, make_patient, make_slots, database):
    slot = make_slots(own_doctor[1])[0]
    database.execute("update scheduling.slot set starts_at = starts_at - interval '40 days', ends_at = ends_at - interval '40 days' where id = %s", [slot["id"]])
    refused(reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]}), (422,), "slot_in_past")


def test_quantities_and_amounts_that_make_no_sense_are_refused(pharmacist, reception, doctor, make_medicine, make_prescription):
    medicine = make_medicine()
    for quantity in (0, -5):
        refused(pharmacist.call("POST", "/v1/inventory/batches", {"medicineId": medicine["id"], "lotNumber": "L", "expiryDate": "2099-01-01", "quantity": quantity}))
    refused(pharmacist.call("PATCH", f"/v1/inventory/batches/{medicine['batches'][0]['id']}", {"delta": -51, "reason": "count"}, headers={"If-Match": '"1"'}), (409,), "insufficient_stock")
    visit, prescription = make_prescription(doctor, medicine)
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"})
    total = invoice["total"]["amount"]
    refused(reception.call("POST", f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH", "amount": {"amount": total + 1, "currency": "INR"}}), (422,), "amount_exceeds_due")
    refused(reception.call("POST", f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH", "amount": {"amount": 0, "currency": "INR"}}))
    refused(reception.call("POST", f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH", "amount": {"amount": 1, "currency": "USD"}}), (400, 422))
    refused(reception.call("POST", f"/v1/invoices/{invoice['id']}/pay", {"method": "BARTER"}))


def test_vitals_out_of_range_are_refused_and_nothing_is_kept(doctor, make_patient):
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]})
    for vitals in ({"systolic": 900}, {"temperatureC": 98.6}, {"spo2": 101}, {"pulse": -3}, {"weightKg": 0}, {"heightCm": "tall"}):
        refused(client.call("PATCH", f"/v1/visits/{visit['id']}", {"vitals": vitals}, headers={"If-Match": visit.headers["etag"]}))
    assert not client.get(f"/v1/visits/{visit['id']}").json.get("vitals")
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)


@pytest.mark.parametrize("search", ["%25", "_", "'; drop table patient --", "²³", "9" * 300, "%F0%9F%98%80", "\\", "a", "%00", "%ff"])
def test_no_search_text_breaks_the_search(reception, search):
    from urllib.parse import quote
    text = search if search.startswith("%") else quote(search)
    assert reception.call("GET", f"/v1/patients?search={text}").status in (200, 400)


def test_methods_and_paths_that_are_not_there(reception):
    answer = refused(reception.call("DELETE", "/v1/patients"), (405,))
    assert "GET" in answer.headers["allow"] and "POST" in answer.headers["allow"]
    refused(reception.call("TRACE", "/v1/patients"), (400, 405))
    assert reception.call("GET", "/internal/cards/patients/" + NOWHERE).status == 404


def test_the_stack_is_healthy_after_all_that(door):
    assert door.get("/health")["status"] == "ready"


def test_a_quote_is_a_letter_like_any_other(pharmacist, reception, doctor):
    """S7: words that somebody searches for are values, wherever they end up."""
    name = f"St John's wort {unique()}"
    medicine = pharmacist.post("/v1/inventory/medicines", {
        "name": name, "form": "tablet", "unitPrice": {"amount": 100, "currency": "INR"}, "taxPercent": 12})["id"]
    found = pharmacist.get(f"/v1/inventory/medicines?search={urllib.parse.quote(name)}")["items"]
    assert [one["id"] for one in found] == [medicine]
    everything = urllib.parse.quote("x') in (select 'x') or true or lower('x")
    assert reception.get(f"/v1/providers?specialty={everything}")["items"] == []
    assert reception.get("/v1/providers")["items"]  # there is somebody whom it could have found
