"""Master keys and tenants' keys change while everything is read and written (S16, D29)."""
import base64
import hmac
import pathlib
import secrets
import subprocess
import threading
import time

import pytest

from clinic import PASSWORD, Clinic, replace, unique
from sealed import derived
from test_factors import letters  # noqa: F401
from test_openid import Portal


def test_every_key_is_wrapped_again_while_patients_are_read_and_registered(env, stack, reception, admin, database, make_patient, own_doctor, door):
    doctor, _ = own_doctor
    first, first_key = {"name": "Rotation First", "birthDate": "1990-01-01", "phone": "+919812345678"}, unique()
    reception.post("/v1/patients", first, key=first_key)
    known = [make_patient(f"Rotation {n}", allergies=[f"Allergy {n}"]) for n in range(40)]
    visit = doctor.post("/v1/visits", {"patientId": known[0]["id"]}, key=unique()).json
    doctor.patch(f"/v1/visits/{visit['id']}", {"chiefComplaint": "before the rotation"})
    line = {"description": "Rotation dressing", "quantity": 1, "unitPrice": {"amount": 100, "currency": "INR"}}
    bill = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "MANUAL", "lines": [line]}, key=unique())["id"]
    before = dict(database.execute("select person_id, wrapped from clinical.data_key").fetchall())
    master = pathlib.Path(env["POLYCLINIC_DATA"], "secrets/master_key")
    old = master.read_text()
    done, failures, reads, written = threading.Event(), [], [0], []

    def read():
        n = 0
        while not done.is_set():
            n += 1
            answer = doctor.call("GET", f"/v1/patients/{known[n % len(known)]['id']}")
            reads[0] += 1
            if answer.status != 200 or not answer.json.get("allergies"):
                failures.append(answer)

    def write():
        while not done.is_set():
            answer = reception.call("POST", "/v1/patients", {"name": "Rotation Writer", "birthDate": "1990-01-01", "phone": "+919812345678"}, key=unique())
            (written if answer.status == 201 else failures).append(answer)
            time.sleep(0.02)

    threads = [threading.Thread(target=t) for t in (read, read, write)]
    for thread in threads:
        thread.start()
    try:
        # A new master key in front of the old one: no process is restarted.
        fresh = secrets.token_hex(32)
        replace(master, f"{fresh}\n{old.strip()}\n")
        for service in ("auth", "clinical", "scheduling", "billing"):
            out = stack("run", service, "rotate-data-keys", *(["--new-tenant-keys", "yes"] if service != "auth" else [])).stdout
            assert "done:" in out, out
        time.sleep(1)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]
    assert reads[0] > 200 and len(written) > 50

    # All persons' keys were wrapped again, and everything opens.
    after = dict(database.execute("select person_id, wrapped from clinical.data_key").fetchall())
    same = [p for p in before if after.get(p) == before[p]]
    assert not same, f"{len(same)} of {len(before)} keys were left as they were"
    for patient in known[:5]:
        assert reception.get(f"/v1/patients/{patient['id']}")["name"].startswith("Rotation")
    assert doctor.get(f"/v1/visits/{visit['id']}")["chiefComplaint"] == "before the rotation"

    # Everything that the master key wraps is under the new one: its boxes name it.
    for table in ("clinical.tenant_key", "auth.tenant_key", "clinical.tenant_wrapping_key", "scheduling.tenant_wrapping_key", "billing.tenant_wrapping_key"):
        rows = database.execute(f"select wrapped from {table}").fetchall()
        assert rows and all(row[0][0] == 2 for row in rows), table

    # The old line goes: a key that somebody else has is worth nothing here any more. Everybody still signs in.
    key = unique()
    kept = {"name": "Rotation Kept", "birthDate": "1990-01-01", "phone": "+919812345678"}
    registered = reception.post("/v1/patients", kept, key=key).json
    replace(master, f"{fresh}\n")
    for service in ("auth", "clinical", "scheduling", "billing"):
        stack("stop", service)
        stack("start", service)
    doctor.eventually(f"/v1/patients/{known[1]['id']}", lambda a: a["allergies"] == [{"text": "Allergy 1"}] or a["allergies"], seconds=30)
    until = time.monotonic() + 30
    while (signed := door.call("POST", "/v1/auth/login", {"email": "reception@demo.example", "password": PASSWORD})).status == 503:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert signed.status == 200, signed
    assert reception.get(f"/v1/patients/{known[2]['id']}")["name"] == "Rotation 2"
    reception.eventually(f"/v1/invoices/{bill}", lambda a: a["lines"][0]["description"] == "Rotation dressing", seconds=30)
    assert reception.post("/v1/patients", kept, key=key).json["id"] == registered["id"]
    # What was answered under the old key is not told any more, and not done again.
    stale = database.execute("select count(*) from clinical.idempotency").fetchone()[0]
    again = reception.call("POST", "/v1/patients", first, key=first_key)
    assert (again.status, again.code) == (409, "answer_gone") and database.execute("select count(*) from clinical.idempotency").fetchone()[0] == stale


def test_a_password_of_the_database_changes_without_a_restart(env, stack, reception, database, make_patient):
    patient = make_patient("Password Change")
    secret = pathlib.Path(env["POLYCLINIC_DATA"], "secrets/postgres_clinical")
    old, new = secret.read_text().strip(), secrets.token_hex(24)
    try:
        database.execute(f"alter role polyclinic_clinical password '{new}'")
        replace(secret, new + "\n")
        database.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'polyclinic_clinical'")
        reception.eventually(f"/v1/patients/{patient['id']}", lambda a: a["name"] == "Password Change", seconds=20)
    finally:
        database.execute(f"alter role polyclinic_clinical password '{old}'")
        replace(secret, old + "\n")


def test_the_pepper_changes_while_people_sign_in(env, stack, admin, door, database):
    """A new line in front of its file: who signs in is hashed anew, under a name, and signs in again."""
    def hashed(account):
        return database.execute("select password_hash from auth.account where id = %s", [account]).fetchone()[0]

    def signs_in(email):
        return door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}, expect=200)

    emails = [f"{unique('pepper')}@demo.example" for _ in "12"]
    one, other = (admin.open_account({"name": "Pepper Nurse", "email": email, "roles": ["nurse"]})["id"] for email in emails)
    before, kept = hashed(one), hashed(other)
    file = pathlib.Path(env["POLYCLINIC_DATA"], "secrets/password_pepper")
    replace(file, f"{secrets.token_hex(32)}\n{file.read_text()}")
    until = time.monotonic() + 30
    while hashed(one) == before:
        assert time.monotonic() < until, "nobody read the file"
        signs_in(emails[0])
    assert "$" not in hashed(one)[:8] and hashed(other) == kept
    signs_in(emails[0])
    said = stack("run", "auth", "pepper-use").stdout
    assert "have a former pepper" in said, said
    signs_in(emails[1])
    assert hashed(other)[:8] == hashed(one)[:8]


def test_the_index_key_changes_while_people_sign_in(env, stack, admin, door, database, letters):  # noqa: F811
    """Everybody is found by either key while the file has two lines, and by the new one when the old is out; an address stays one
    account, an application keeps its secret, and knows people by what it knew them by."""
    def login(email, password=PASSWORD):
        return door.call("POST", "/v1/auth/login", {"email": email, "password": password})

    def hire(email):
        return admin.call("POST", "/v1/users", {"name": "Index Nurse", "email": email, "roles": ["nurse"]}, key=unique())

    def rows(email):
        return database.execute("select count(*) from auth.login where account_id = %s", [accounts[email]]).fetchone()[0]

    def subject(portal):
        status, given = portal.redeem(portal.code())
        assert status == 200, given
        return Clinic(door.url, given["access_token"]).get("/oauth2/userinfo")["sub"]

    def registered_when_known(count):
        """Whoever is registered has a row for each line, as soon as the service has read the file again."""
        until = time.monotonic() + 30
        while True:
            email = f"{unique('index')}@demo.example"
            accounts[email] = admin.open_account({"name": "Index Nurse", "email": email, "roles": ["nurse"]})["id"]
            if rows(email) == count:
                return email
            assert time.monotonic() < until, "nobody read the file"

    before, asked_by = (f"{unique('index')}@demo.example" for _ in "12")
    accounts = {email: admin.open_account({"name": "Index Nurse", "email": email, "roles": ["nurse"]})["id"] for email in (before, asked_by)}
    file = pathlib.Path(env["POLYCLINIC_DATA"], "secrets/index_key")
    lines, fresh = file.read_text().split(), secrets.token_hex(32)
    old, oldest = bytes.fromhex(lines[0]), bytes.fromhex(lines[-1])  # one and the same, unless a run was broken off here

    # Two applications as they were stored before there were keys of their own: one comes during the change, one does not.
    portal, absent = Portal(door, admin, pairwiseSubjects=True), Portal(door, admin)
    modern = Portal(door, admin, pairwiseSubjects=True)
    for each in (portal, absent):
        kept = hmac.digest(derived(old, "client secrets"), each.client["clientSecret"].encode(), "sha256")
        database.execute("update auth.client set secret_hash = %s, subject_key = null where id = %s", [kept, each.client["clientId"]])
    known = {each: subject(each) for each in (portal, modern)}
    reception = database.execute("select account_id from auth.login where email_index = %s", [
        hmac.digest(derived(oldest, "auth e-mail index"), b"reception@demo.example", "sha256")]).fetchone()[0]
    said = f"{portal.client['clientId']}|{reception}".encode()
    assert hmac.digest(derived(oldest, "pairwise subjects"), said, "sha256") == base64.urlsafe_b64decode(known[portal] + "=")

    asked = door.post("/v1/auth/password-reset", {"contact": asked_by}, expect=202)
    code = letters.wait(asked_by)["code"]
    trusted = login(before)
    replace(file, "\n".join([fresh, *lines]) + "\n")
    meanwhile = registered_when_known(len(lines) + 1)
    # Nobody is moved yet: found by the old key, and no second account under the new one.
    assert rows(before) == len(lines) and login(before).status == 200
    assert (hire(before).status, hire(before).code) == (409, "email_taken")
    door.post("/v1/auth/password-reset/confirmation", {"id": asked["id"], "code": code, "newPassword": "a new pass phrase"}, expect=204)
    assert login(asked_by, "a new pass phrase").status == 200
    assert door.call("POST", "/v1/auth/refresh", {"refreshToken": trusted["refreshToken"]}).status == 200
    assert subject(portal) == known[portal]

    out = stack("run", "auth", "rotate-index-key").stdout
    assert "done:" in out and "hang on the key" in out, out
    assert rows(before) == rows(meanwhile) == len(lines) + 1
    replace(file, f"{fresh}\n")
    again = stack("run", "auth", "rotate-index-key").stdout
    assert "done:" in again, again
    registered_when_known(1)
    for email, password in ((before, PASSWORD), (meanwhile, PASSWORD), (asked_by, "a new pass phrase"), ("reception@demo.example", PASSWORD)):
        assert login(email, password).status == 200, email
    for email in (before, meanwhile):
        assert rows(email) == 1 and hire(email).code == "email_taken"
    by_old = hmac.digest(derived(old, "auth e-mail index"), before.encode(), "sha256")
    assert not database.execute("select from auth.login where email_index = %s", [by_old]).fetchall()
    # An application that came kept its secret; one that did not has to be given another. Both know people as before.
    assert {each: subject(each) for each in known} == known
    assert absent.redeem(absent.code())[0] == 401
    new = admin.patch(f"/v1/auth/clients/{absent.client['clientId']}", {"newSecret": True})
    absent.client["clientSecret"] = new["clientSecret"]
    assert absent.redeem(absent.code())[0] == 200
