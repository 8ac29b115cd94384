"""After all that: nothing personal stands in a log, in Redis, in the broker, or in clear in the database (S9).

Last by name: it looks at what every other test left behind.
"""
import json
import pathlib
import subprocess

import pytest

from clinic import PASSWORD, unique

CANARIES = ["Quillfeather", "quillfeather", "Quincaillerie Street", "919876500001", "Canarypox hypersensitivity", "Canary complaint", "Canary note"]


@pytest.fixture(scope="module")
def lived(request):
    """A patient whose every field is a canary has been through the clinic, mistakes included."""
    reception, pharmacist = request.getfixturevalue("reception"), request.getfixturevalue("pharmacist")
    client, provider = request.getfixturevalue("doctor")
    patient = reception.post("/v1/patients", {
        "name": "Quillfeather Quincaillerie", "birthDate": "1971-07-17", "phone": "+919876500001", "email": "quillfeather@canary.example",
        "address": "7 Quincaillerie Street", "allergies": ["Canarypox hypersensitivity"], "conditions": ["Canarypox hypersensitivity"],
        "emergencyContact": {"name": "Quillfeather Senior", "phone": "+919876500001", "relation": "father"}}, key=unique())
    for path in ("Quillfeather", "%2B919876500001", "Quilfeather"):
        reception.get(f"/v1/patients?search={path}")
    reception.call("POST", "/v1/patients", {"name": "Quillfeather", "birthDate": "Quillfeather", "phone": "Canary complaint", "Quillfeather": 1})
    reception.call("POST", "/v1/patients", raw=b'{"name": "Quillfeather", ')
    reception.call("GET", "/v1/nothing/Quillfeather?search=Quillfeather")
    visit = client.post("/v1/visits", {"patientId": patient["id"]})
    client.patch(f"/v1/visits/{visit['id']}", {"chiefComplaint": "Canary complaint", "treatmentPlan": "Canary note",
                                               "diagnoses": [{"code": "Z00", "system": "ICD-10", "text": "Canary note"}]})
    client.post(f"/v1/visits/{visit['id']}/notes", {"category": "SYMPTOM", "text": "Canary note"})
    client.post(f"/v1/visits/{visit['id']}/complete", expect=200)
    reception.patch(f"/v1/patients/{patient['id']}", {"address": "8 Quincaillerie Street"})
    door = request.getfixturevalue("door")
    door.call("POST", "/v1/auth/login", {"email": "quillfeather@canary.example", "password": "Quillfeather"})
    return patient


def found_in(text):
    return sorted({c for c in CANARIES + [PASSWORD] if c in text})


def test_no_log_names_anybody(lived, env):
    folder = pathlib.Path(env["POLYCLINIC_DATA"], "log")
    logs = [f for f in folder.rglob("*") if f.is_file()]
    assert len(logs) >= 12
    for log in logs:
        text = log.read_text(errors="replace")
        assert not found_in(text), (log.name, found_in(text))
        assert "eyJ" not in text, f"{log.name} has a token"


def test_redis_names_nobody(lived, env):
    port = env["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]
    cli = ["redis-cli", "-p", port, "-a", env["TEST_REDIS_PASSWORD"], "--no-auth-warning"]
    for key in subprocess.run([*cli, "keys", "*"], capture_output=True, text=True, check=True).stdout.split():
        dumped = subprocess.run([*cli, "dump", key], capture_output=True, check=True).stdout.decode(errors="replace")
        assert not found_in(key + dumped)
        assert int(subprocess.run([*cli, "ttl", key], capture_output=True, text=True, check=True).stdout) > 0, f"{key} has no end"


def test_no_fact_names_anybody(lived, database):
    for service in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting"):
        for (data,) in database.execute(f"select data::text from {service}.outbox"):
            assert not found_in(data), (service, found_in(data))


def test_nothing_personal_is_in_clear_in_the_database(lived, database):
    for service, table, column in database.execute("""
            select c.table_schema, c.table_name, c.column_name from information_schema.columns c
            join information_schema.tables t using (table_schema, table_name)
            where t.table_type = 'BASE TABLE' and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')
              and c.table_schema in ('auth', 'scheduling', 'queue', 'clinical', 'pharmacy', 'billing', 'notifications', 'reporting')""").fetchall():
        for canary in CANARIES:
            pattern = f"%{canary}%"
            hexed = canary.encode().hex()
            hits = database.execute(
                f'select count(*) from "{service}"."{table}" where "{column}"::text like %s or "{column}"::text like %s', [pattern, f"%{hexed}%"]).fetchone()[0]
            assert hits == 0, (service, table, column, canary)


def test_no_metric_names_anybody(lived, env):
    import urllib.request
    base = int(env["POLYCLINIC_URL"].rsplit(":", 1)[1])
    for offset in range(11, 20):
        text = urllib.request.urlopen(f"http://127.0.0.1:{base + offset}/metrics", timeout=5).read().decode()
        assert not found_in(text)


def test_a_crash_writes_no_memory_to_a_disk(env):
    processes = [f for f in pathlib.Path(env["POLYCLINIC_PIDS"]).glob("*.pid") if f.stem in
                 ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")]
    assert len(processes) == 9
    for file in processes:
        limits = pathlib.Path(f"/proc/{file.read_text().strip()}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        # One byte: what keeps a core out of files and out of pipes.
        assert core.split()[4:6] == ["1", "1"], (file.stem, core)
