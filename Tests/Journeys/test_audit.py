"""The audit trail: reads and refusals are in it before their answer, nobody can alter it unseen, patients may ask (S15, S19)."""
import json
import pathlib
import threading
import time
import uuid

import psycopg
import pytest

from clinic import SEEN_LICENCE, Clinic, unique


@pytest.fixture(scope="module")
def clinic(env, stack, door):
    """A clinic of its own, where doctors open the charts of their own patients."""
    email = f"{unique('admin')}@audit.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Audit"), "--location-name", "One", "--zone", "Etc/GMT",
          "--currency", "INR", "--admin-email", email, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
    admin = door.as_(email)

    def hire(role, **more):
        mail = f"{unique(role)}@audit.example"
        if role == "doctor":
            more = {"licence": SEEN_LICENCE, **more}
        account = admin.open_account({"name": f"Dr. {role.title()}", "email": mail, "roles": [role], **more})["id"]
        if role == "doctor":
            admin.eventually(f"/v1/providers?accountId={account}", lambda a: a["items"] and a["items"][0]["licensed"])
        return door.as_(mail)

    people = {role: hire(role) for role in ("reception", "doctor", "auditor")}
    return {**people, "admin": admin, "stranger": hire("doctor"), "hire": hire}


@pytest.fixture(scope="module")
def seen(clinic):
    patient = clinic["reception"].post("/v1/patients", {"name": "Seen One", "birthDate": "1980-02-29", "phone": "+919876543210"})["id"]
    visit = clinic["doctor"].post("/v1/visits", {"patientId": patient})["id"]  # from here on they have to do with each other
    clinic["admin"].call("PUT", "/v1/charts/policy", {"policy": "care"}, expect=200)
    return patient, visit


def entries(database, patient):
    """What is committed about a patient in clinical at this moment, on its way or arrived."""
    rows = database.execute("select data from clinical.outbox where type = 'audit.access.recorded.v1' order by seq").fetchall()
    return [e for (data,) in rows for e in data["entries"] if e.get("patientId") == patient]


def test_every_read_of_a_chart_is_committed_to_the_trail_before_its_answer(clinic, seen, database):
    patient, visit = seen
    for path, what in [(f"/v1/visits/{visit}", "visit"), (f"/v1/patients/{patient}", "patient"), (f"/v1/visits/{visit}/notes", "visit_notes")]:
        before = len(entries(database, patient))
        clinic["doctor"].get(path)
        found = entries(database, patient)  # no waiting: the answer is here, so the entry is
        assert len(found) == before + 1, path
        assert (found[-1]["resource"], found[-1]["purpose"], found[-1]["allowed"]) == (what, "TREAT", True)


def test_fifty_reads_at_once_leave_fifty_entries(clinic, seen, database, at_once):
    patient, visit = seen
    before = len(entries(database, patient))
    for answer in at_once([lambda: clinic["doctor"].get(f"/v1/visits/{visit}")] * 50):
        assert answer.status == 200
    assert len(entries(database, patient)) == before + 50


def test_every_refusal_is_committed_to_the_trail(clinic, seen, database):
    patient, visit = seen
    count = lambda: len([e for (d,) in database.execute(  # noqa: E731
        "select data from clinical.outbox where type = 'audit.access.recorded.v1'") for e in d["entries"] if not e["allowed"]])
    before = count()
    clinic["reception"].get(f"/v1/visits/{visit}", expect=403)
    clinic["stranger"].get(f"/v1/visits/{visit}", expect=403)
    clinic["doctor"].get(f"/v1/visits/{patient}", expect=404)
    assert count() == before + 3


def test_breaking_the_glass_is_told_within_a_minute_and_shown_to_the_patient(clinic, seen):
    patient, visit = seen
    stranger = clinic["stranger"]
    stranger.get(f"/v1/visits/{visit}", expect=403)
    began = time.monotonic()
    grant = stranger.post(f"/v1/patients/{patient}/break-glass", {"reason": "Unconscious in the emergency room", "minutes": 5})
    stranger.get(f"/v1/visits/{visit}")
    for who in ("admin", "auditor"):
        clinic[who].eventually("/v1/notifications?limit=20", lambda a: any(
            n["kind"] == "glass_broken" and n["subjectId"] == grant["id"] for n in a["items"]), seconds=60)
    assert time.monotonic() - began < 60
    assert [g["id"] for g in clinic["auditor"].get("/v1/break-glass")["items"]] == [grant["id"]]
    clinic["auditor"].call("POST", f"/v1/break-glass/{grant['id']}/review", {"outcome": "justified"}, expect=200)

    person = clinic["hire"]("patient", patientId=patient)
    log = person.eventually(f"/v1/patients/{patient}/access-log", lambda a: any(i["purpose"] == "BTG" for i in a["items"]))
    opened = next(i for i in log["items"] if i["purpose"] == "BTG" and i["what"] == "visit")
    assert opened["role"] == "doctor" and opened["name"] == "Dr. Doctor" and not opened["self"], opened


def test_who_removed_an_allergy_and_what_it_said_can_be_told(clinic, seen, database):
    reception, doctor = clinic["reception"], clinic["doctor"]
    patient = reception.post("/v1/patients", {"name": "Before After", "birthDate": "1980-02-29", "phone": "+919876543210", "allergies": ["Penicillin"]})["id"]
    doctor.post(f"/v1/patients/{patient}/break-glass", {"reason": "To be seen by somebody"})  # charts open by care since `seen`
    visit = doctor.post("/v1/visits", {"patientId": patient})["id"]
    doctor.patch(f"/v1/visits/{visit}", {"diagnoses": [{"code": "J03.9", "text": "Tonsillitis"}]})
    doctor.patch(f"/v1/visits/{visit}", {"diagnoses": []})
    doctor.call("PATCH", f"/v1/patients/{patient}/health", {"allergies": {"retire": ["Penicillin"]}}, headers={"If-Match": '"1"'}, expect=200)
    version, = doctor.get(f"/v1/patients/{patient}/versions")["items"]
    assert (version["version"], version["changed"], version["record"]["allergies"]) == (1, ["allergies"], [{"text": "Penicillin"}])
    before, after = database.execute("select data->'before'->>'version', data->'after'->>'version' from clinical.outbox where type = 'audit.entry.recorded.v1'"
                                     " and data->>'action' = 'update' and data->>'resourceId' = %s", [patient]).fetchone()
    assert (before, after) == ("1", "2")
    assert str(database.execute("select replaced_by from clinical.patient_version where patient_id = %s", [patient]).fetchone()[0]) == version["replacedBy"]
    assert [v["record"]["diagnoses"][0]["text"] for v in doctor.get(f"/v1/visits/{visit}/versions")["items"] if v["record"].get("diagnoses")] == ["Tonsillitis"]
    clinic["admin"].eventually(f"/v1/reports/audit-logs?resourceId={patient}&action=update", lambda entries: entries["items"])


def test_nobody_may_write_the_chain_but_the_database_itself(database):
    for table, rights in {"audit_entry": ("insert", "update", "delete", "truncate"), "audit_head": ("insert", "update", "delete", "truncate"),
                          "audit_checkpoint": ("update", "delete", "truncate"), "tenant_card": ("insert", "update", "delete")}.items():
        for right in rights:
            may = database.execute("select has_table_privilege('polyclinic_reporting', %s, %s)", [f"reporting.{table}", right])
            assert may.fetchone() == (False,), (table, right)


SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")


def test_no_login_of_any_service_alters_what_was_recorded(database, clinic):
    for role in [f"polyclinic_{s}" for s in SERVICES]:
        rights = {"reporting.audit_entry": ("insert", "update", "delete", "truncate"), "reporting.audit_listed": ("insert", "update", "delete", "truncate")}
        rights |= {f"{s}.outbox": ("truncate",) for s in SERVICES}
        rights |= {f"{s}.outbox": ("insert", "update", "delete", "truncate") for s in SERVICES if not role.endswith(s)}
        for table, words in rights.items():
            for word in words:
                assert database.execute("select has_table_privilege(%s, %s, %s)", [role, table, word]).fetchone() == (False,), (role, table, word)
    for service in SERVICES:  # its own outbox it prunes, and only of what was published
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not published"), database.transaction():
            database.execute(f"set local role polyclinic_{service}")
            database.execute("select set_config('app.tenant', gen_random_uuid()::text, true)")
            database.execute(f"""insert into {service}.outbox (id, type, subject, revision, traceparent, data, occurred_at)
                                 values (gen_random_uuid(), 'audit.entry.recorded.v1', 'x', 0, '', '{{}}', now())""")
            database.execute(f"delete from {service}.outbox where subject = 'x'")


def test_an_entry_that_a_service_removes_on_its_way_is_missed(database, stack):
    """With clinical's own login: an entry is called published before it left, and goes. Its tenant is nobody's, so that no other test is disturbed."""
    tenant, entry = str(uuid.uuid4()), str(uuid.uuid4())
    insert = """insert into clinical.outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
                values (%s, %s, %s, 'x', 0, '', '{"service": "clinical", "number": 1, "ids": []}', now())"""
    with database.transaction():
        database.execute("set local role polyclinic_clinical")
        database.execute(insert, [entry, tenant, "audit.entry.recorded.v1"])
        database.execute("update clinical.outbox set published_at = now() where id = %s", [entry])
    for statement in ("delete from clinical.outbox where id = %(id)s", "update clinical.outbox set published_at = now() - interval '2 days' where id = %(id)s",
                      "delete from clinical.outbox_sent", "update clinical.outbox_told set number = 7"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction():
            database.execute("set local role polyclinic_clinical")
            database.execute(statement, {"id": entry})
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only the database"), database.transaction():
        database.execute("set local role polyclinic_clinical")
        database.execute(insert, [str(uuid.uuid4()), tenant, "audit.facts.sent.v1"])
    with database.transaction():  # as if a day had passed
        database.execute("alter table clinical.outbox disable trigger outbox_audit_kept")
        database.execute("delete from clinical.outbox where id = %s", [entry])
        database.execute("alter table clinical.outbox enable trigger outbox_audit_kept")
    deadline = time.monotonic() + 30
    while not database.execute("select true from reporting.audit_facts_sent where %s::uuid = any(ids)", [entry]).fetchone():
        assert time.monotonic() < deadline, "nothing was counted out"
        with database.transaction():  # again and again: it takes a thousand notes at a time, and the whole suite makes more in a minute
            database.execute("set local role polyclinic_clinical")
            database.execute("select clinical.outbox_tell('auth')")
        time.sleep(0.2)
    with database.transaction():  # as if ten minutes had passed
        database.execute("alter table reporting.audit_facts_sent disable trigger audit_facts_sent_kept")
        database.execute("update reporting.audit_facts_sent set received_at = now() - interval '11 minutes' where tenant_id = %s", [tenant])
        database.execute("alter table reporting.audit_facts_sent enable trigger audit_facts_sent_kept")
    done = stack("run", "reporting", "verify-audit", "--tenant", tenant, check=False)
    assert done.returncode == 1 and f"entry {entry} left clinical and never came" in done.stdout, done.stdout + done.stderr


def test_the_owner_of_the_trail_does_not_alter_it_either(database, clinic, seen):
    tenant = clinic["admin"].get("/v1/auth/me")["tenantId"]
    clinic["admin"].eventually("/v1/reports/audit-logs", lambda a: len(a["items"]) > 3)
    for statement in ("update reporting.audit_entry set role = 'nurse'", "delete from reporting.audit_entry", "truncate reporting.audit_entry cascade"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not changed"), database.transaction():
            database.execute("select set_config('app.tenant', %s, true)", [tenant])
            database.execute(statement)


def test_a_patient_sees_who_found_them_in_a_list(clinic, seen):
    patient, _ = seen
    clinic["reception"].get("/v1/patients?search=Seen")
    person = clinic["hire"]("patient", patientId=patient)
    log = person.eventually(f"/v1/patients/{patient}/access-log?limit=100", lambda a: any(i["action"] == "search" for i in a["items"]))
    found = next(i for i in log["items"] if i["action"] == "search")
    assert (found["what"], found["role"], found["allowed"], found["self"]) == ("patient_list", "reception", True, False), found


def verify(stack, tenant, *more):
    done = stack("run", "reporting", "verify-audit", "--tenant", tenant, *more, check=False)
    return done.returncode, done.stdout


def exported(env, tenant, size=1):
    """The file of a tenant's checkpoints, once it has come so far."""
    file = pathlib.Path(env["POLYCLINIC_DATA"], "checkpoints", f"{tenant}.jsonl")
    until = time.monotonic() + 90
    while not file.exists() or json.loads(file.read_text().splitlines()[-1])["size"] < size:
        assert time.monotonic() < until, "no checkpoint was exported"
        time.sleep(0.5)
    return file


def test_a_checkpoint_that_was_not_signed_so_is_named_and_the_others_count(clinic, seen, stack, env):
    tenant = clinic["admin"].get("/v1/auth/me")["tenantId"]
    file = exported(env, tenant)
    lines = file.read_text().splitlines()
    forged = {**json.loads(lines[-1]), "at": "2020-01-01T00:00:00.000000Z"}  # the right head, at another time
    copy = file.with_suffix(".forged")  # where the service's user can read it
    copy.write_text("\n".join([json.dumps(forged), *lines]) + "\n")
    copy.chmod(0o644)
    code, said = verify(stack, tenant, "--checkpoint", str(copy))
    copy.unlink()
    assert code == 1 and "line 1 is not a checkpoint" in said and "line 2" not in said and "whole" in said, said


def test_the_entry_of_a_change_is_there_only_when_the_change_is(clinic, database, env):
    """Held just before its commit, a change has left nothing; after it, one entry."""
    name = unique("Annex")
    entries = lambda: [d for (d,) in database.execute(  # noqa: E731
        "select data from auth.outbox where type = 'audit.entry.recorded.v1' and data ->> 'resource' = 'location'") if d["action"] == "create"]
    before = len(entries())
    answers = []
    with psycopg.connect(env["POSTGRES_URL"]) as held:
        held.execute("lock table auth.idempotency in share row exclusive mode")  # the last thing that the change writes
        asking = threading.Thread(target=lambda: answers.append(clinic["admin"].call(
            "POST", "/v1/locations", {"name": name, "zone": "Etc/GMT", "currency": "INR"}, key=unique("key"))))
        asking.start()
        until = time.monotonic() + 10
        while not database.execute("select count(*) from pg_locks where relation = 'auth.idempotency'::regclass and not granted").fetchone()[0]:
            assert time.monotonic() < until, "the change did not come to its end"
            time.sleep(0.02)
        assert len(entries()) == before
        held.rollback()
    asking.join()
    assert answers[0].status == 201, answers
    assert len(entries()) == before + 1


TAMPERS = [
    ("update reporting.audit_entry set role = 'nurse' where tenant_id = %(t)s and seq = 3", "entry 3 "),
    ("delete from reporting.audit_entry where tenant_id = %(t)s and seq = 2", "entry 2 is missing"),
    ("""update reporting.audit_entry e set action = o.action, resource = o.resource, resource_id = o.resource_id, actor_id = o.actor_id
        from reporting.audit_entry o where o.tenant_id = e.tenant_id and e.tenant_id = %(t)s and (e.seq, o.seq) in ((2, 5), (5, 2))""", "entry 2 "),
    ("delete from reporting.audit_entry where tenant_id = %(t)s and seq > 4", "entries 5 to "),
]


@pytest.mark.parametrize("statement, words", TAMPERS, ids=["changed", "missing", "swapped", "cut off"])
def test_the_verifier_names_the_first_broken_entry(statement, words, clinic, seen, stack, env, database):
    tenant = clinic["admin"].get("/v1/auth/me")["tenantId"]
    file = exported(env, tenant, 10)
    code, said = verify(stack, tenant, "--checkpoint", str(file))
    assert code == 0 and "whole" in said, said
    kept = database.execute("select * from reporting.audit_entry where tenant_id = %s", [tenant]).fetchall()
    try:
        with database.transaction():  # as somebody who may switch the triggers off
            database.execute("set local session_replication_role = replica")
            database.execute(statement, {"t": tenant})
        code, said = verify(stack, tenant, "--checkpoint", str(file))
        assert code == 1 and words in said, said
        assert verify(stack, tenant)[0] == 1
    finally:
        with database.transaction():
            database.execute("set local session_replication_role = replica")  # as it was, without the chaining trigger
            database.execute("delete from reporting.audit_entry where tenant_id = %s", [tenant])
            columns = [d.name for d in database.execute("select * from reporting.audit_entry limit 0").description]
            places = ", ".join("%s::jsonb" if c in ("before", "after") else "%s" for c in columns)
            for row in kept:
                database.execute(f"insert into reporting.audit_entry values ({places})",
                                 [json.dumps(v) if c in ("before", "after") and v is not None else v for c, v in zip(columns, row)])
    assert verify(stack, tenant)[0] == 0
