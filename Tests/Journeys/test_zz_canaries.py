"""Two hundred canary values through every route: none comes out where nothing personal may be (S9).

Late by name. It writes what it looked at and what it found to `canaries.md` in the stack's data folder.
"""
import base64
import json
import pathlib
import re
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid

import pika
import pytest

from clinic import PASSWORD, Clinic, unique

KINDS = ("name", "address", "allergy", "condition", "friend", "complaint", "diagnosis", "note", "plan", "reason", "password", "token", "phone", "email", "mrn", "free")


@pytest.fixture(scope="module")
def canaries():
    """At least two hundred, each nowhere else: 13 of each kind."""
    made = {kind: [f"Cnry{kind}{uuid.uuid4().hex[:10]}" for _ in range(13)] for kind in KINDS}
    made["phone"] = [f"+9197{uuid.uuid4().int % 10**8:08d}" for _ in range(13)]
    made["email"] = [f"cnry{uuid.uuid4().hex[:10]}@canary.example" for _ in range(13)]
    made["mrn"] = [f"MRN-{uuid.uuid4().int % 10**9:09d}" for _ in range(13)]
    assert sum(len(v) for v in made.values()) >= 200
    return made


@pytest.fixture(scope="module")
def overheard(env):
    """Every message that passes the broker meanwhile, and what its queues hold at the end."""
    connection = pika.BlockingConnection(pika.URLParameters(env["AMQP_ADMIN_URL"]))
    channel = connection.channel()
    name = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(name, "polyclinic", "#")

    def read():
        bodies = []
        while True:
            method, properties, body = channel.basic_get(name, auto_ack=True)
            if method is None:
                return bodies
            bodies.append((method.routing_key + json.dumps(properties.headers or {}, default=str)).encode() + body)
    yield read
    connection.close()


@pytest.fixture(scope="module")
def lived(request, canaries, overheard, env):
    """The canaries as patients, then as garbage in every route there is; the answers that were errors."""
    reception, pharmacist, admin, nurse = (request.getfixturevalue(n) for n in ("reception", "pharmacist", "admin", "nurse"))
    doctor, provider = request.getfixturevalue("doctor")
    door = request.getfixturevalue("door")
    errors, routes = [], 0
    patients = []
    for n in range(13):
        patients.append(reception.post("/v1/patients", {
            "name": canaries["name"][n], "birthDate": "1971-07-17", "phone": canaries["phone"][n], "email": canaries["email"][n],
            "address": canaries["address"][n], "allergies": [canaries["allergy"][n]], "conditions": [canaries["condition"][n]],
            "emergencyContact": {"name": canaries["friend"][n], "phone": canaries["phone"][n]}}, key=unique()).json)
        reception.get(f"/v1/patients?search={urllib.parse.quote(canaries['name'][n])}")
        visit = doctor.post("/v1/visits", {"patientId": patients[-1]["id"]}).json
        doctor.patch(f"/v1/visits/{visit['id']}", {"chiefComplaint": canaries["complaint"][n], "treatmentPlan": canaries["plan"][n],
                                                   "diagnoses": [{"text": canaries["diagnosis"][n]}]})
        doctor.post(f"/v1/visits/{visit['id']}/notes", {"category": "SYMPTOM", "text": canaries["note"][n]})
        doctor.post(f"/v1/visits/{visit['id']}/complete", expect=200)
        door.call("POST", "/v1/auth/login", {"email": canaries["email"][n], "password": canaries["password"][n]})
        Clinic(door.url, canaries["token"][n]).call("GET", "/v1/patients")
    slots = request.getfixturevalue("admin").get(f"/v1/slots?providerId={provider['id']}&status=free&limit=20")["items"]
    for n, slot in enumerate(slots[:13]):
        reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": patients[n]["id"], "reason": canaries["reason"][n]})

    words = [w for values in canaries.values() for w in values]
    document = json.loads(urllib.request.urlopen(env["POLYCLINIC_URL"] + "/v1/openapi.json", timeout=10).read())
    # People of their own: a route may sign them out, and other tests must not notice.
    site = request.getfixturevalue("site")
    people = [site.hire(admin, role) for role in ("admin", "reception", "pharmacist", "nurse", "lab")] + [door]
    turn = 0
    for path, methods in sorted(document["paths"].items()):
        for method in methods:
            if method not in ("get", "post", "put", "patch", "delete") or path.endswith(("/live", "/events")):
                continue
            routes += 1
            for attempt in range(2):
                client, turn = people[turn % len(people)], turn + 1
                word = [words[(turn * 7 + i) % len(words)] for i in range(4)]
                filled = re.sub(r"\{[^}]+\}", lambda _: urllib.parse.quote(word[0]) if attempt else patients[turn % 13]["id"], path)
                query = f"?search={urllib.parse.quote(word[1])}&cursor={urllib.parse.quote(word[2])}&{urllib.parse.quote(word[3])}=1" if attempt else ""
                body = None if method in ("get", "delete") else {"name": word[1], "reason": word[2], "email": word[3], "password": word[0], "text": word[1],
                                                                 "notes": [word[2]], "unknownField": word[0], "phone": word[1], "patientId": word[2]}
                answer = client.call(method.upper(), filled + query, body, headers={"Idempotency-Key": f"k-{uuid.uuid4().hex}", "X-Canary": word[0]})
                if answer.status >= 400:
                    errors.append((method, path, client.token, answer))
                assert answer.status < 500 or answer.status == 503, (method, path, answer)
    return patients, errors, routes


def forms(word):
    """The word as it may be hidden: as it is, in another case, escaped, in base64, in hexadecimal."""
    text = word.encode()
    return {text, text.lower(), urllib.parse.quote(word).encode(), base64.b64encode(text).rstrip(b"=")[:-1], text.hex().encode()}


def found(canaries, data):
    """Which canaries stand in these bytes."""
    low = data.lower()
    return sorted(w for values in canaries.values() for w in values if any(form in data or form in low for form in forms(w)))


def test_no_canary_comes_out_anywhere(lived, canaries, overheard, env, database, stack):
    patients, errors, routes = lived
    looked = {}
    folder = pathlib.Path(env["POLYCLINIC_DATA"])
    for log in sorted(f for f in folder.joinpath("log").rglob("*") if f.is_file()):
        looked[f"log {log.name}"] = log.read_bytes()
    for log in sorted(folder.joinpath("nginx").rglob("*.log")):
        looked[f"nginx {log.name}"] = log.read_bytes()
    base = int(env["POLYCLINIC_URL"].rsplit(":", 1)[1])
    for offset in range(11, 20):
        looked[f"metrics of port +{offset}"] = urllib.request.urlopen(f"http://127.0.0.1:{base + offset}/metrics", timeout=5).read()
    port = env["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]
    cli = ["redis-cli", "-p", port, "-a", env["TEST_REDIS_PASSWORD"], "--no-auth-warning"]
    keys = subprocess.run([*cli, "keys", "*"], capture_output=True, text=True, check=True).stdout.split()
    looked["Redis"] = b"\n".join(k.encode() + subprocess.run([*cli, "dump", k], capture_output=True, check=True).stdout for k in keys)
    messages = overheard()
    assert len(messages) > 50, "the broker was not heard"
    looked["RabbitMQ: messages"] = b"\n".join(messages)
    looked["RabbitMQ: files"] = b"".join(f.read_bytes() for f in folder.joinpath("rabbitmq").rglob("*") if f.is_file() and f.stat().st_size < 50_000_000)
    for service in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting"):
        looked[f"outbox of {service}"] = b"\n".join(d.encode() for (d,) in database.execute(f"select data::text from {service}.outbox"))
    looked["audit trail"] = b"\n".join(str(r).encode() for r in database.execute("select before, after, resource, resource_id, action from reporting.audit_entry"))
    looked["statements Postgres remembers"] = b"\n".join(q.encode() for (q,) in database.execute("select query from public.pg_stat_statements"))
    looked["files of the processes' arguments and environment"] = b"".join(
        pathlib.Path(f"/proc/{p.read_text().strip()}/{part}").read_bytes() for p in folder.joinpath("run").glob("*.pid") for part in ("cmdline", "environ")
        if pathlib.Path(f"/proc/{p.read_text().strip()}/{part}").exists())
    looked["error bodies and headers"] = b"\n".join(a.bytes + json.dumps(a.headers).encode() for _, _, _, a in errors)

    hits = {place: found(canaries, data) for place, data in looked.items()}
    lines = ["# Canaries", "", f"{sum(len(v) for v in canaries.values())} values through {routes} routes ({len(errors)} refusals read).", "",
             "| Place | Bytes | Found |", "|---|---|---|"]
    lines += [f"| {place} | {len(data)} | {len(hits[place])} |" for place, data in looked.items()]
    report = folder / "canaries.md"
    report.write_text("\n".join(lines) + "\n")
    print(report.read_text())
    assert not {place: words[:5] for place, words in hits.items() if words}
    assert routes > 80 and len(errors) > 100


def test_no_canary_rests_in_clear_in_any_column(lived, canaries, database):
    words = [w for values in canaries.values() for w in values]
    patterns = [p for w in words for p in (f"%{w}%", f"%{w.encode().hex()}%")]
    columns = database.execute("""
        select c.table_schema, c.table_name, c.column_name from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where t.table_type = 'BASE TABLE' and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')
          and c.table_schema in ('auth', 'scheduling', 'queue', 'clinical', 'pharmacy', 'billing', 'notifications', 'reporting')""").fetchall()
    # Words that are no patient's may rest where staff put them: a refused request puts nothing anywhere.
    hits = [(s, t, c) for s, t, c in columns
            if database.execute(f'select exists (select from "{s}"."{t}" where "{c}"::text like any(%s))', [patterns]).fetchone()[0]]
    assert hits == []
