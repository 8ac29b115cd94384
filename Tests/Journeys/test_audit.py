"""The audit trail: reads and refusals are in it before their answer, nobody can alter it unseen, patients may ask (S15, S19)."""
import json
import pathlib
import time

import pytest

from clinic import PASSWORD, Clinic, unique


@pytest.fixture(scope="module")
def clinic(env, stack, door):
    """A clinic of its own, where doctors open the charts of their own patients."""
    email = f"{unique('admin')}@audit.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Audit"), "--location-name", "One", "--zone", "Etc/GMT",
          "--currency", "INR", "--admin-email", email, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
    admin = door.as_(email)

    def hire(role, **more):
        mail = f"{unique(role)}@audit.example"
        admin.post("/v1/users", {"name": f"Dr. {role.title()}", "email": mail, "roles": [role], "password": PASSWORD, **more})
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


def test_nobody_may_write_the_chain_but_the_database_itself(database):
    for table, rights in {"audit_entry": ("update", "delete", "truncate"), "audit_head": ("insert", "update", "delete", "truncate"),
                          "audit_checkpoint": ("update", "delete", "truncate"), "tenant_card": ("insert", "update", "delete")}.items():
        for right in rights:
            may = database.execute("select has_table_privilege('polyclinic_reporting', %s, %s)", [f"reporting.{table}", right])
            assert may.fetchone() == (False,), (table, right)


def verify(stack, tenant, *more):
    done = stack("run", "reporting", "verify-audit", "--tenant", tenant, *more, check=False)
    return done.returncode, done.stdout


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
    file = pathlib.Path(env["POLYCLINIC_DATA"], "checkpoints", f"{tenant}.jsonl")
    until = time.monotonic() + 90
    while not file.exists() or json.loads(file.read_text().splitlines()[-1])["size"] < 10:
        assert time.monotonic() < until, "no checkpoint was exported"
        time.sleep(0.5)
    code, said = verify(stack, tenant, "--checkpoint", str(file))
    assert code == 0 and "whole" in said, said
    kept = database.execute("select * from reporting.audit_entry where tenant_id = %s", [tenant]).fetchall()
    try:
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
