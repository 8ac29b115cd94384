"""One person in all services: exported whole, erased by destroying keys, gone from backups too (S16, S17)."""
import datetime
import json
import os
import pathlib
import re
import subprocess
import time
import uuid

import psycopg
import pytest

from clinic import PASSWORD, Clinic, unique


def word(kind):
    """A value that is nowhere else."""
    return f"{kind}{uuid.uuid4().hex[:12]}"


@pytest.fixture()
def person(site, admin, reception, pharmacist, own_doctor, make_slots, make_medicine):
    """A patient with something of theirs in every service; `planted` is every word of it."""
    doctor, provider = own_doctor
    planted = {kind: word(kind.capitalize()) for kind in (
        "name", "address", "allergy", "condition", "friend", "relation", "complaint", "plan", "diagnosis", "note", "reason", "cancel",
        "instructions", "account", "document", "addendum")}
    phone, other = (f"+9198{uuid.uuid4().int % 10**8:08d}" for _ in range(2))
    email = f"{word('mail')}@erase.example"
    patient = reception.post("/v1/patients", {
        "name": f"{planted['name']} Person", "birthDate": "1969-05-04", "phone": phone, "email": email, "address": planted["address"],
        "allergies": [planted["allergy"]], "conditions": [planted["condition"]],
        "emergencyContact": {"name": planted["friend"], "phone": other, "relation": planted["relation"]}}, key=unique()).json
    login = f"{word('login')}@erase.example"
    admin.post("/v1/users", {"name": planted["account"], "email": login, "roles": ["patient"], "password": PASSWORD,
                             "locationId": site.location, "patientId": patient["id"]})
    slots = make_slots(provider)
    kept = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": patient["id"], "reason": planted["reason"]}, key=unique()).json
    dropped = reception.post("/v1/appointments", {"slotId": slots[3]["id"], "patientId": patient["id"]}, key=unique()).json
    reception.call("DELETE", f"/v1/appointments/{dropped['id']}", {"reason": planted["cancel"]}, expect=200)
    token = reception.post("/v1/queue/walk-in", {"patientId": patient["id"], "providerId": provider["id"]}, key=unique()).json
    visit = doctor.post("/v1/visits", {"patientId": patient["id"]}, key=unique()).json
    doctor.patch(f"/v1/visits/{visit['id']}", {"chiefComplaint": planted["complaint"], "treatmentPlan": planted["plan"],
                                               "diagnoses": [{"code": "A15.0", "system": "ICD-10", "text": planted["diagnosis"]}],
                                               "vitals": {"systolic": 123, "diastolic": 77}})
    doctor.post(f"/v1/visits/{visit['id']}/notes", {"category": "SYMPTOM", "text": planted["note"]})
    medicine = make_medicine()
    prescription = doctor.post("/v1/prescriptions", {"visitId": visit["id"], "items": [
        {"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 1, "durationDays": 2, "instructions": planted["instructions"]}]}, key=unique()).json
    doctor.post(f"/v1/visits/{visit['id']}/complete", expect=200)
    doctor.call("POST", f"/v1/visits/{visit['id']}/addenda", {"text": planted["addendum"]}, expect=(200, 201))
    consent = reception.post(f"/v1/patients/{patient['id']}/consents", {"purpose": "reminders", "document": planted["document"], "documentVersion": "3"}).json
    invoice = None
    until = time.monotonic() + 20
    while invoice is None:
        answer = reception.call("POST", "/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"}, key=unique())
        invoice = answer.json if answer.status == 201 else None
        assert time.monotonic() < until, answer
        time.sleep(0.2)
    ids = {"patient": patient["id"], "appointment": kept["id"], "cancelled": dropped["id"], "token": token["id"], "visit": visit["id"],
           "prescription": prescription["id"], "invoice": invoice["id"], "consent": consent["id"], "medicine": medicine["name"]}
    planted.update(phone=phone, other=other, email=email, login=login)
    return ids, planted


def exported(admin, patient):
    return admin.get(f"/v1/patients/{patient}/export")


def test_an_export_holds_every_word_from_every_service(person, admin, door):
    ids, planted = person
    # What arrives by event is there a moment later.
    answer = admin.eventually(f"/v1/patients/{ids['patient']}/export", lambda a: ids["prescription"] in json.dumps(a["services"]["pharmacy"]) and a["services"]["notifications"]["notice"])
    text = answer.bytes.decode()
    missing = [kind for kind, value in planted.items() if value not in text]
    assert not missing, missing
    assert not [kind for kind, value in ids.items() if value not in text]
    services = answer["services"]
    assert set(services) == {"clinical", "auth", "scheduling", "queue", "pharmacy", "billing", "notifications", "reporting"}
    assert services["billing"]["invoice_line"] and services["queue"]["token"] and services["reporting"]["audit_entry"]
    bundle = answer["fhir"]
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert bundle["resourceType"] == "Bundle" and kinds >= {
        "Patient", "AllergyIntolerance", "Condition", "Encounter", "Observation", "MedicationRequest", "ClinicalImpression", "Consent"}
    assert "tenant_id" not in text
    own = door.as_(planted["login"])
    assert own.get(f"/v1/patients/{ids['patient']}/export")["services"]["auth"]["account"][0]["email"] == planted["login"]


def test_nobody_else_exports(person, door, reception, own_doctor, pharmacist, nurse, patient_account):
    ids, _ = person
    for other in (reception, own_doctor[0], pharmacist, nurse):
        assert other.call("GET", f"/v1/patients/{ids['patient']}/export").status == 403
    assert patient_account.call("GET", f"/v1/patients/{ids['patient']}/export").status == 404
    assert door.call("GET", f"/v1/patients/{ids['patient']}/export").status == 401
    assert door.call("GET", f"/internal/export/patients/{ids['patient']}").status == 404


def test_consent_is_given_once_and_withdrawn_not_edited(person, reception, admin):
    ids, planted = person
    path = f"/v1/patients/{ids['patient']}/consents"
    again = reception.call("POST", path, {"purpose": "reminders", "document": "x", "documentVersion": "4"})
    assert again.status == 409 and again.code == "consent_given"
    reception.call("DELETE", f"{path}/{ids['consent']}", expect=204)
    reception.call("DELETE", f"{path}/{ids['consent']}", expect=204)
    reception.post(path, {"purpose": "reminders", "document": planted["document"], "documentVersion": "4"})
    first, second = reception.get(path)["items"]
    assert first["withdrawnAt"] and first["documentVersion"] == "3" and "withdrawnAt" not in second
    assert reception.call("POST", path, {"purpose": "selling", "document": "x", "documentVersion": "1"}).status == 400


def restored(env, stack, folder, name):
    stack("restore", str(folder), name)
    return psycopg.connect(re.sub(r"/polyclinic$", f"/{name}", env["POSTGRES_URL"]), autocommit=True)


def test_erasure_waits_for_the_law_then_leaves_nothing_to_read_not_even_in_a_backup(person, admin, reception, own_doctor, door, database, env, stack, tmp_path):
    ids, planted = person
    patient, path = ids["patient"], f"/v1/patients/{ids['patient']}"
    tenant = database.execute("select tenant_id from clinical.patient where id = %s", [patient]).fetchone()[0]

    # The law: ten years after the last visit by default, and not at all while somebody holds the record.
    later = admin.call("POST", f"{path}/erasure", {"ground": "patient_request"}, expect=202)
    assert int(later["notBefore"][:4]) >= datetime.date.today().year + 9
    admin.get(path)
    reception.call("POST", f"{path}/erasure", {"ground": "patient_request"}, expect=403)
    years = admin.get("/v1/retention")["years"]
    admin.call("PUT", "/v1/retention", {"years": 0}, expect=200)
    try:
        admin.call("PUT", f"{path}/legal-hold", expect=204)
        held = admin.call("POST", f"{path}/erasure", {"ground": "patient_request"})
        assert held.status == 409 and held.code == "legal_hold"
        admin.call("DELETE", f"{path}/legal-hold", expect=204)

        before = tmp_path / "backups"
        stack("backup", str(before))
        assert not any(value.encode() in f.read_bytes() for f in before.iterdir() for value in planted.values())
        admin.call("POST", f"{path}/erasure", {"ground": "patient_request"}, expect=200)
    finally:
        admin.call("PUT", "/v1/retention", {"years": years}, expect=200)

    # Gone for everybody.
    admin.get(path, expect=404)
    reception.get(f"{path}/visits", expect=(404, 200))
    assert reception.get(f"/v1/patients?search={planted['name']}")["items"] == []
    own_doctor[0].get(f"/v1/visits/{ids['visit']}", expect=404)
    own_doctor[0].get(f"/v1/prescriptions/{ids['prescription']}", expect=404)
    admin.get(f"{path}/export", expect=404)
    until = time.monotonic() + 20
    while door.call("POST", "/v1/auth/login", {"email": planted["login"], "password": PASSWORD}).status != 401:
        assert time.monotonic() < until
        time.sleep(0.1)
    admin.eventually(f"/v1/appointments/{ids['appointment']}", lambda a: "reason" not in a.json)
    # What the law says must stay is there: the invoice and who dispensed what, by ids.
    admin.get(f"/v1/invoices/{ids['invoice']}")

    # No key, no code, no word in clear, in any column of any service.
    for schema in ("clinical", "scheduling"):
        assert database.execute(f"select count(*) from {schema}.data_key where person_id = %s", [patient]).fetchone()[0] == 0
    for part in ("visit_diagnosis", "visit_observation"):
        assert database.execute(f"select count(*) from clinical.{part} where visit_id = %s", [ids["visit"]]).fetchone()[0] == 0
    assert database.execute("select count(*) from clinical.patient_key where patient_id = %s", [patient]).fetchone()[0] == 0
    # The name of a consent form is the clinic's word, not the person's.
    assert found_in_clear(database, [v for kind, v in planted.items() if kind != "document"]) == []

    # The backup from before has what was sealed, and nothing that opens it, once the keys' backup was renewed.
    stack("backup", str(before))
    for old in sorted(before.glob("data-*"))[2:]:  # keep only the one from before the erasure
        old.unlink()
    name = f"restored_{uuid.uuid4().hex[:8]}"
    try:
        with restored(env, stack, before, name) as copy:
            kept = copy.execute("select octet_length(personal), erased_at from clinical.patient where id = %s", [patient]).fetchone()
            assert kept[0] > 29 and kept[1] is None, "the backup is from before the erasure"
            assert copy.execute("select count(*) from clinical.data_key where person_id = %s", [patient]).fetchone()[0] == 0
            assert copy.execute("select count(*) from clinical.data_key where tenant_id = %s", [tenant]).fetchone()[0] > 0
            tables = "select sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %%I.%%I', schemaname, tablename), false, true, '')))[1]::text::bigint) from pg_tables where schemaname = %s and tablename <> 'data_key'"
            assert copy.execute(tables, ["billing"]).fetchone()[0] > 0
    finally:
        database.execute(f'drop database if exists "{name}" with (force)')


def found_in_clear(database, values):
    """Where any of the words stands in clear, as text or as the bytes of text."""
    columns = database.execute("""
        select c.table_schema, c.table_name, c.column_name from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where t.table_type = 'BASE TABLE' and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')
          and c.table_schema in ('auth', 'scheduling', 'queue', 'clinical', 'pharmacy', 'billing', 'notifications', 'reporting')""").fetchall()
    patterns = [p for v in values for p in (f"%{v}%", f"%{v.encode().hex()}%")]
    return [(schema, table, column) for schema, table, column in columns
            if database.execute(f'select exists (select from "{schema}"."{table}" where "{column}"::text like any(%s))', [patterns]).fetchone()[0]]


def test_a_backup_that_was_changed_is_not_restored(stack, tmp_path):
    folder = tmp_path / "backups"
    stack("backup", str(folder))
    dump = next(folder.glob("data-*.dump.enc"))
    changed = bytearray(dump.read_bytes())
    changed[len(changed) // 2] ^= 1
    dump.write_bytes(changed)
    answer = stack("restore", str(folder), f"restored_{uuid.uuid4().hex[:8]}", check=False)
    assert answer.returncode != 0 and "was changed" in answer.stderr


def test_an_erased_patient_was_registered_in_error_and_goes_at_once(admin, make_patient):
    patient = make_patient(word("Mistake"))
    answer = admin.call("POST", f"/v1/patients/{patient['id']}/erasure", {"ground": "registered_in_error"}, expect=200)
    assert answer["status"] == "erased"
    admin.get(f"/v1/patients/{patient['id']}", expect=404)
    admin.call("POST", f"/v1/patients/{patient['id']}/erasure", {"ground": "registered_in_error"}, expect=404)
