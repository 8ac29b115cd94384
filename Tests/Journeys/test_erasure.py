"""One person in all services: exported whole, erased by destroying keys, gone from backups too (S16, S17)."""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import uuid

import psycopg
import pytest

from clinic import PASSWORD, Clinic, unique
from sealed import Restored
from test_data_catalogue import whose


def word(kind):
    """A value that is nowhere else."""
    return f"{kind}{uuid.uuid4().hex[:12]}"


@pytest.fixture()
def person(site, door, admin, reception, pharmacist, own_doctor, make_slots, make_medicine):
    """A patient with something of theirs in every service; `planted` is every word of it."""
    doctor, provider = own_doctor
    planted = {kind: word(kind.capitalize()) for kind in (
        "name", "address", "allergy", "condition", "friend", "relation", "complaint", "plan", "diagnosis", "note", "reason", "cancel",
        "instructions", "account", "document", "addendum", "former", "rating", "request")}
    phone, other = (f"+9198{uuid.uuid4().int % 10**8:08d}" for _ in range(2))
    email = f"{word('mail')}@erase.example"
    patient = reception.post("/v1/patients", {
        "name": f"{planted['name']} Person", "birthDate": "1969-05-04", "phone": phone, "email": email, "address": planted["address"],
        "allergies": [planted["allergy"], planted["former"]], "conditions": [planted["condition"]],
        "emergencyContact": {"name": planted["friend"], "phone": other, "relation": planted["relation"]}}, key=unique()).json
    login = f"{word('login')}@erase.example"
    admin.open_account({"name": planted["account"], "email": login, "roles": ["patient"],
                             "locationId": site.location, "patientId": patient["id"]})
    slots = make_slots(provider)
    kept = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": patient["id"], "reason": planted["reason"]}, key=unique()).json
    dropped = reception.post("/v1/appointments", {"slotId": slots[3]["id"], "patientId": patient["id"]}, key=unique()).json
    reception.call("DELETE", f"/v1/appointments/{dropped['id']}", {"reason": planted["cancel"]}, expect=200)
    token = reception.post("/v1/queue/walk-in", {"patientId": patient["id"], "providerId": provider["id"]}, key=unique()).json
    visit = doctor.post("/v1/visits", {"patientId": patient["id"], "appointmentId": kept["id"]}, key=unique()).json
    doctor.patch(f"/v1/visits/{visit['id']}", {"chiefComplaint": planted["complaint"], "treatmentPlan": planted["plan"],
                                               "diagnoses": [{"code": "A15.0", "system": "ICD-10", "text": planted["diagnosis"]}],
                                               "vitals": {"systolic": 123, "diastolic": 77}})
    doctor.call("PATCH", f"/v1/patients/{patient['id']}/health", {"allergies": {"retire": [planted["former"]]}}, headers={"If-Match": '"1"'}, expect=200)
    doctor.post(f"/v1/visits/{visit['id']}/notes", {"category": "SYMPTOM", "text": planted["note"]})
    medicine = make_medicine()
    prescription = doctor.post("/v1/prescriptions", {"visitId": visit["id"], "items": [
        {"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 1, "durationDays": 2, "instructions": planted["instructions"]}]}, key=unique()).json
    doctor.post(f"/v1/visits/{visit['id']}/complete", expect=200)
    doctor.call("POST", f"/v1/visits/{visit['id']}/addenda", {"text": planted["addendum"]}, expect=(200, 201))
    reception.eventually(f"/v1/appointments/{kept['id']}", lambda a: a["status"] == "fulfilled")
    door.as_(login).post(f"/v1/appointments/{kept['id']}/rating", {"score": 4, "comment": planted["rating"]})
    consent = reception.post(f"/v1/patients/{patient['id']}/consents", {"purpose": "reminders", "document": planted["document"], "documentVersion": "3"}).json
    reception.post(f"/v1/patients/{patient['id']}/requests", {"kind": "access", "words": planted["request"]})
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
    assert services["billing"]["invoice_line"][0]["description"].startswith(ids["medicine"])
    assert services["queue"]["token"] and services["reporting"]["audit_entry"]
    bundle = answer["fhir"]
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert bundle["resourceType"] == "Bundle" and kinds >= {
        "Patient", "AllergyIntolerance", "Condition", "Encounter", "Observation", "MedicationRequest", "ClinicalImpression", "Consent"}
    assert "tenant_id" not in text
    own = door.as_(planted["login"])
    assert own.get(f"/v1/patients/{ids['patient']}/export")["services"]["auth"]["account"][0]["email"] == planted["login"]


# What the fixture plants no row of. Broken glass, erasure and hold: Tests/Clinical/ErasureTests.swift; of the others an export has ids, times and words of ours.
UNPLANTED = {"auth.browser_session", "auth.client_consent", "auth.passkey", "auth.totp", "auth.recovery_code",
             "billing.credit_note", "clinical.erasure", "clinical.glass_grant", "notifications.notice_read", "reporting.daily_patient"}


def rows_of(database, patient, table, condition, column):
    shown = "to_jsonb(%s) #>> '{}'" % column  # as an export writes it
    return [value for (value,) in database.execute(f"select {shown} from {table} where {condition}", [patient]).fetchall()]


# Who keeps answers for repeated requests, and of whom one about the person is planted: notices and reports are written by nobody.
ANSWERED = {"auth", "clinical", "scheduling", "queue", "billing", "pharmacy"}


def kept_answers(database, patient):
    """{service: how many answers about this patient it still has, given before they were erased}, of every service that has such a table."""
    services = [s for (s,) in database.execute("select table_schema from information_schema.tables where table_name = 'idempotency'")]
    return {service: database.execute(
        f"""select count(*) from {service}.idempotency where patient_id = %s and length(answer) > 0 and request_hash is not null
            and created_at < coalesce((select done_at from clinical.erasure where patient_id = %s), now())""", [patient, patient]).fetchone()[0]
        for service in services}


def test_an_export_has_a_row_of_every_table_and_an_erasure_leaves_what_the_law_wants(person, admin, database, door, reception, pharmacist):
    ids, planted = person
    patient = ids["patient"]
    door.as_(planted["login"])
    # An answer that is kept about them in each service: paid, handed out, and somebody who acts for them.
    reception.post(f"/v1/invoices/{ids['invoice']}/pay", {"method": "CASH"}, key=unique())
    until = time.monotonic() + 20
    while (given := pharmacist.call("POST", "/v1/dispensing", {"prescriptionId": ids["prescription"]}, key=unique())).status != 201:
        assert time.monotonic() < until, given
        time.sleep(0.1)
    helper = admin.post("/v1/users", {"name": "Helper", "email": f"{unique('helper')}@erase.example", "roles": ["proxy"]})["id"]
    reception.post("/v1/auth/proxies", {"accountId": helper, "patientId": patient, "relation": "child", "proof": "identity_seen"}, key=unique())
    kept = kept_answers(database, patient)
    assert set(kept) >= ANSWERED and all(kept[service] for service in ANSWERED), kept
    assert admin.get(f"/v1/appointments?patientId={patient}")["items"]  # somebody who lists them
    until = time.monotonic() + 20
    while True:  # what arrives by event is there a moment later
        rows = {table: rows_of(database, patient, table, condition, (shown if shown.startswith("`") else "1").strip("`"))
                for table, condition, shown, _ in whose()}
        empty = {table for table, values in rows.items() if not values} - UNPLANTED
        if not empty:
            break
        assert time.monotonic() < until, empty
        time.sleep(0.2)
    text = exported(admin, patient).bytes.decode()
    missing = [(table, value) for table, _, shown, _ in whose() if shown.startswith("`") for value in rows[table] if value not in text]
    assert not missing, missing

    years = admin.get("/v1/retention")["years"]
    admin.call("PUT", "/v1/retention", {"years": 0}, expect=200)
    try:
        admin.call("POST", f"/v1/patients/{patient}/erasure", {"ground": "patient_request"}, expect=200)
    finally:
        admin.call("PUT", "/v1/retention", {"years": years}, expect=200)
    until = time.monotonic() + 20
    while True:
        left = {table: rows_of(database, patient, table, condition, "1") for table, condition, _, after in whose() if after == "gone"}
        if not any(left.values()):
            break
        assert time.monotonic() < until, {table: len(values) for table, values in left.items() if values}
        time.sleep(0.2)
    while any((kept := kept_answers(database, patient)).values()):  # each service hears of it by event
        assert time.monotonic() < until, kept
        time.sleep(0.2)
    assert found_in_clear(database, [value for kind, value in planted.items() if kind != "document"]) == []


def test_nobody_else_exports(person, door, reception, own_doctor, pharmacist, nurse, patient_account):
    ids, _ = person
    for other in (reception, own_doctor[0], pharmacist, nurse):
        assert other.call("GET", f"/v1/patients/{ids['patient']}/export").status == 403
    assert patient_account.call("GET", f"/v1/patients/{ids['patient']}/export").status == 404
    assert door.call("GET", f"/v1/patients/{ids['patient']}/export").status == 401
    assert door.call("GET", f"/internal/export/patients/{ids['patient']}").status == 404


def test_a_record_with_visits_is_no_error_whoever_says_so(person, admin):
    ids, _ = person
    path = f"/v1/patients/{ids['patient']}"
    refused = admin.call("POST", f"{path}/erasure", {"ground": "registered_in_error"})
    assert refused.status == 409 and refused.code == "patient_seen"
    admin.get(path)


def test_a_promised_day_that_the_law_has_moved_since_is_moved_by_the_sweep(person, admin, database, stack):
    ids, _ = person
    path = f"/v1/patients/{ids['patient']}"
    promised = admin.call("POST", f"{path}/erasure", {"ground": "patient_request"}, expect=202)["notBefore"]
    # As if the request were older than the last visit.
    database.execute("update clinical.erasure set not_before = '2020-01-01' where patient_id = %s", [ids["patient"]])
    stack("stop", "clinical")
    stack("start", "clinical")
    admin.eventually(path, lambda a: a.json, seconds=30)
    until = time.monotonic() + 20
    while str(database.execute("select not_before from clinical.erasure where patient_id = %s", [ids["patient"]]).fetchone()[0]) != promised:
        assert time.monotonic() < until, "the sweep did not come by"
        time.sleep(0.1)
    admin.get(path)


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
    assert admin.get(f"/v1/invoices/{ids['invoice']}")["lines"][0]["description"].startswith(ids["medicine"])

    # No key, no code, no word in clear, in any column of any service.
    for schema in ("clinical", "scheduling"):
        assert database.execute(f"select count(*) from {schema}.data_key where person_id = %s", [patient]).fetchone()[0] == 0
    assert database.execute("select count(*) from clinical.visit_observation where visit_id = %s", [ids["visit"]]).fetchone()[0] == 0
    assert database.execute("select count(*) from clinical.patient_key where patient_id = %s", [patient]).fetchone()[0] == 0
    # The name of a consent form is the clinic's word, not the person's.
    assert found_in_clear(database, [v for kind, v in planted.items() if kind != "document"]) == []

    # The backup from before has what was sealed, and nothing that opens it, once the keys' backup was renewed.
    stack("backup", str(before))
    for old in sorted(before.glob("data-*"))[1:]:  # keep only the one from before the erasure
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


@pytest.fixture()
def shims(tmp_path):
    """Programs that come first in the path: `shims(name, script)`. `real` in the script is the program itself."""
    folder = tmp_path / "shims"
    folder.mkdir(exist_ok=True)

    def make(name, script):
        file = folder / name
        file.write_text(f'#!/bin/bash\nreal={shutil.which(name)}\n{script}\n')
        file.chmod(0o755)
        return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    return make


@pytest.mark.parametrize("dies", ["data", "keys"])
def test_a_backup_that_dies_half_way_leaves_the_one_before_as_it_was(env, stack, database, shims, tmp_path, dies):
    folder = tmp_path / "backups"
    stack("backup", str(folder))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    mine = "*--data-only*" if dies == "keys" else "*--exclude-table-data*"
    broken = shims("pg_dump", f'case "$*" in {mine}) "$real" "$@" | head -c 3000; exit 1;; esac; exec "$real" "$@"')
    time.sleep(1.1)  # another second, so another name
    answer = subprocess.run([env["POLYCLINIC_STACK"], "backup", str(folder)], env=broken, capture_output=True, text=True)
    assert answer.returncode != 0
    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {name: after[name] for name in before} == before
    # Nothing half of it lies about, which a restore would take for the newest.
    assert len(after) == len(before) + (dies == "keys")
    name = f"restored_{uuid.uuid4().hex[:8]}"
    try:
        restored(env, stack, folder, name).close()
    finally:
        database.execute(f'drop database if exists "{name}" with (force)')


def test_no_secret_is_an_argument_of_what_a_backup_and_a_start_run(env, shims, database, tmp_path):
    folder, log = tmp_path / "backups", tmp_path / "arguments"
    for program in ("openssl", "pg_dump", "pg_restore", "psql", "python3", "redis-cli", "head"):
        noting = shims(program, f'printf "%s\\n" "$0 $*" >>{log}; exec "$real" "$@"')
    name = f"restored_{uuid.uuid4().hex[:8]}"
    try:
        for verb in (["backup", str(folder)], ["restore", str(folder), name], ["servers"]):
            subprocess.run([env["POLYCLINIC_STACK"], *verb], env=noting, check=True, capture_output=True)
    finally:
        database.execute(f'drop database if exists "{name}" with (force)')
    seen = log.read_text()
    assert "pg_restore" in seen and "openssl" in seen and "redis-cli" in seen
    for file in pathlib.Path(env["POLYCLINIC_DATA"], "secrets").iterdir():
        for line in file.read_text().split():
            assert len(line) < 24 or line not in seen, file.name


def test_an_older_backup_reads_with_the_newest_keys_after_tenants_keys_were_rotated(env, stack, database, make_patient, reception, tmp_path):
    patient = make_patient("Older Backup", allergies=["Rotated pollen"])
    folder = tmp_path / "backups"
    stack("backup", str(folder))
    old = next(folder.glob("data-*"))
    rotated = stack("run", "clinical", "rotate-data-keys", "--new-tenant-keys", "yes").stdout
    assert "done:" in rotated
    stack("backup", str(folder))
    for newer in folder.glob("data-*"):
        if newer != old:
            newer.unlink()
    name = f"restored_{uuid.uuid4().hex[:8]}"
    try:
        with restored(env, stack, folder, name) as copy:
            record = Restored(copy, pathlib.Path(env["POLYCLINIC_DATA"], "secrets/master_key")).patient(patient["id"])
        assert record["name"] == "Older Backup" and "Rotated pollen" in json.dumps(record)
    finally:
        database.execute(f'drop database if exists "{name}" with (force)')
    assert reception.get(f"/v1/patients/{patient['id']}")["name"] == "Older Backup"


def test_no_stored_answer_is_in_a_backup(env, stack, database, make_patient, tmp_path):
    make_patient()
    assert database.execute("select count(*) from clinical.idempotency").fetchone()[0] > 0
    folder = tmp_path / "backups"
    stack("backup", str(folder))
    name = f"restored_{uuid.uuid4().hex[:8]}"
    try:
        with restored(env, stack, folder, name) as copy:
            for (schema,) in copy.execute("select schemaname from pg_tables where tablename = 'idempotency'").fetchall():
                assert copy.execute(f"select count(*) from {schema}.idempotency").fetchone()[0] == 0
    finally:
        database.execute(f'drop database if exists "{name}" with (force)')


def test_an_erased_patient_was_registered_in_error_and_goes_at_once(admin, make_patient):
    patient = make_patient(word("Mistake"))
    answer = admin.call("POST", f"/v1/patients/{patient['id']}/erasure", {"ground": "registered_in_error"}, expect=200)
    assert answer["status"] == "erased"
    admin.get(f"/v1/patients/{patient['id']}", expect=404)
    admin.call("POST", f"/v1/patients/{patient['id']}/erasure", {"ground": "registered_in_error"}, expect=404)


def test_a_stored_answer_tells_nothing_of_a_person_who_was_erased(admin, reception, site, database, door):
    name, key = word("Replayed"), unique()
    body = {"name": name, "birthDate": "1980-02-29", "phone": "+919912345678"}
    patient = reception.post("/v1/patients", body, key=key).json
    login, account_key = f"{word('login')}@erase.example", unique()
    account = {"name": name, "email": login, "roles": ["patient"], "locationId": site.location, "patientId": patient["id"]}
    admin.post("/v1/users", account, key=account_key)
    admin.call("POST", f"/v1/patients/{patient['id']}/erasure", {"ground": "registered_in_error"}, expect=200)
    again = reception.call("POST", "/v1/patients", body, key=key)
    assert again.status == 409 and again.code == "answer_gone" and name not in again.bytes.decode()
    until = time.monotonic() + 20
    while (again := admin.call("POST", "/v1/users", account, key=account_key)).status == 201:
        assert name in again.bytes.decode() and time.monotonic() < until
        time.sleep(0.1)
    assert again.code == "answer_gone"


def test_a_busy_patient_is_exported_whole(admin, make_patient, database):
    patient = make_patient("Busy Person")
    tenant = database.execute("select tenant_id from clinical.patient where id = %s", [patient["id"]]).fetchone()[0]
    try:
        database.execute("""
            insert into notifications.notice (id, tenant_id, kind, patient_id, subject_id, event_id, at)
            select gen_random_uuid(), %s, 'appointment_booked', %s, gen_random_uuid(), gen_random_uuid(), now() - n * interval '1 second'
            from generate_series(1, 11000) n""", [tenant, patient["id"]])
        for _ in range(6):  # more often than a breaker would take it
            answer = admin.get(f"/v1/patients/{patient['id']}/export")
            assert len(answer["services"]["notifications"]["notice"]) == 11000 and len(answer.bytes) > 2_000_000
    finally:
        database.execute("delete from notifications.notice where patient_id = %s", [patient["id"]])


def test_withdrawing_the_consent_stops_the_reminders(person, reception, database):
    ids, _ = person
    patient = ids["patient"]
    of_patient = "from notifications.reminder where patient_id = %s and status = %s"
    until = time.monotonic() + 20
    while not database.execute(f"select count(*) {of_patient}", [patient, "pending"]).fetchone()[0]:
        assert time.monotonic() < until
        time.sleep(0.1)
    reception.call("DELETE", f"/v1/patients/{patient}/consents/{ids['consent']}", expect=204)
    card = "select is_given from notifications.consent_card where patient_id = %s"
    while (database.execute(card, [patient]).fetchone() or [True])[0]:
        assert time.monotonic() < until
        time.sleep(0.1)
    database.execute("update notifications.reminder set due_at = now() - interval '1 second' where patient_id = %s and status = 'pending'", [patient])
    until = time.monotonic() + 60
    while database.execute(f"select count(*) {of_patient}", [patient, "pending"]).fetchone()[0]:
        assert time.monotonic() < until, "the clock did not come by"
        time.sleep(0.2)
    assert database.execute(f"select count(*) {of_patient}", [patient, "announced"]).fetchone()[0] == 0
