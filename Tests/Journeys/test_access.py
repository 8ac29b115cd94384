"""Every cell of the access matrix is what is declared, and the declaration keeps what was promised (S1)."""
import collections
import os
import pathlib
import subprocess
import sys
import time

import jsonschema
import psycopg
import pytest

from clinic import LICENCE, SEEN_LICENCE, Clinic, unique

POLICY = pathlib.Path(__file__).resolve().parents[1] / "Policy"
sys.path[:0] = [str(POLICY), str(POLICY.parent / "Chaos")]
import access  # noqa: E402
import bodies  # noqa: E402
import checks  # noqa: E402


def told(env):
    """What a service's binary says of its own routes."""
    return lambda service: subprocess.run(
        [f"{env['POLYCLINIC_DATA']}/bin/{service}", "routes", "--matrix"], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def world(env, stack, door, admin):
    """Two tenants; three patients of the first: two doctors' at one site, one at another."""
    secrets = env["POLYCLINIC_DATA"] + "/secrets"

    def tenant(zone):
        email = f"{unique('admin')}@matrix.example"
        stack("run", "auth", "bootstrap-tenant", "--name", unique("Matrix"), "--location-name", "One", "--zone", zone,
              "--currency", "INR", "--admin-email", email, "--admin-password-file", f"{secrets}/demo_password")
        return door.as_(email)

    head, foreign = tenant("Etc/GMT"), tenant("Etc/GMT")
    mint, elsewhere = (access.Mint(f"{secrets}/jwt_private.pem", c.token) for c in (head, foreign))
    boss = Clinic(door.url, mint("admin"))
    second = boss.post("/v1/locations", {"name": "Two", "zone": "Etc/GMT", "currency": "INR"})["id"]
    boss.call("PUT", "/v1/charts/policy", {"policy": "care"}, expect=200)
    drug = Clinic(door.url, mint("pharmacist"))
    medicine = drug.post("/v1/inventory/medicines", {
        "name": unique("Matrixol"), "form": "tablet", "unitPrice": {"amount": 100, "currency": "INR"}, "taxPercent": 12})["id"]
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))

    def records(location):
        """One patient with something in every table."""
        batch = drug.post("/v1/inventory/batches", {
            "medicineId": medicine, "lotNumber": unique("LOT"), "quantity": 500, "expiryDate": "2099-01-01"})["id"]
        account = boss.open_account({
            "name": "Dr. Matrix", "email": f"{unique('doctor')}@matrix.example", "roles": ["doctor"], "licence": SEEN_LICENCE, "locationId": location})["id"]
        found = boss.eventually("/v1/providers?limit=100", lambda a: any(p["accountId"] == account and p["licensed"] for p in a["items"]))
        provider = next(p["id"] for p in found["items"] if p["accountId"] == account)
        desk = Clinic(door.url, mint("reception", location=location))
        doctor = Clinic(door.url, mint("doctor", location=location, account=account))
        patient, spare, leaver = (desk.post("/v1/patients", {"name": "Matrix Row", "birthDate": "1980-02-29", "phone": "+919876543210",
                                                              "address": "1 Matrix Road", "emergencyContact": {"name": "Matrix Friend", "phone": "+919876543211"},
                                                              "allergies": ["Matrix"], "conditions": ["Matrix"]})["id"] for _ in "123")
        boss.open_account({"name": "Matrix Row", "email": f"{unique('row')}@matrix.example", "roles": ["patient"], "patientId": patient, "locationId": location})
        consent = desk.post(f"/v1/patients/{patient}/consents", {"purpose": "sharing", "document": "matrix", "documentVersion": "1"})["id"]
        licensee = boss.open_account({
            "name": "Dr. Paper", "email": f"{unique('paper')}@matrix.example", "roles": ["doctor"], "locationId": location})["id"]
        paper = Clinic(door.url, mint("doctor", location=location, account=licensee))
        paper.call("PUT", "/v1/auth/licence", LICENCE, expect=200)
        document = paper.post("/v1/auth/licence/documents", {"kind": "licence", "content": bodies.WORDS["content"]})["id"]
        boss.post("/v1/slots/bulk", {"providerId": provider, "locationId": location, "from": day, "to": day, "start": "09:00", "end": "10:00", "slotMinutes": 30})
        slot = desk.get(f"/v1/slots?providerId={provider}&date={day}&status=free")["items"][0]["id"]
        appointment = desk.post("/v1/appointments", {"slotId": slot, "patientId": patient})["id"]
        token = desk.post("/v1/queue/walk-in", {"patientId": patient, "providerId": provider})["id"]
        signed = doctor.post("/v1/visits", {"patientId": patient, "tokenId": token})["id"]
        prescription = doctor.post("/v1/prescriptions", {"visitId": signed, "items": [
            {"medicineId": medicine, "dose": 1, "frequencyPerDay": 1, "durationDays": 5}]})["id"]
        doctor.post(f"/v1/visits/{signed}/complete", expect=200)
        visit = doctor.post("/v1/visits", {"patientId": patient, "tokenId": token})["id"]
        invoice = desk.post("/v1/invoices", {"visitId": signed, "mode": "AUTO"})["id"]
        desk.post(f"/v1/invoices/{invoice}/pay", {"method": "CASH"})
        until = time.monotonic() + 20
        while (given := drug.call("POST", "/v1/dispensing", {"prescriptionId": prescription})).status != 201:
            assert time.monotonic() < until, given
            time.sleep(0.1)
        glass = Clinic(door.url, mint("doctor")).post(f"/v1/patients/{spare}/break-glass", {"reason": "To fill the matrix"})["id"]
        asked = desk.post(f"/v1/patients/{patient}/requests", {"kind": "correction", "words": "To fill the matrix"})["id"]
        return {"account": account, "doctor": account, "asked": asked, "provider": provider, "patient": patient, "spare": spare, "slot": slot,
                "leaver": leaver, "consent": consent, "licensee": licensee, "document": document, "glass": glass,
                "appointment": appointment, "token": token, "signed": signed, "visit": visit, "prescription": prescription,
                "invoice": invoice, "dispensing": given["id"], "medicine": medicine, "batch": batch, "location": location}

    first = mint.claims["loc"]
    sets = {"own": records(first), "other": records(first), "site": records(second)}
    sets["tenant"] = sets["nested"] = sets["own"]

    # One account whose tokens were withdrawn; it had every role.
    gone = boss.open_account({"name": "Gone", "email": f"{unique('gone')}@matrix.example", "roles": ["nurse"]})["id"]
    own = sets["own"]
    stranger = foreign.open_account({"name": "Dr. Foreign", "email": f"{unique('doctor')}@matrix.example", "roles": ["doctor"], "licence": SEEN_LICENCE})["id"]

    def tokens(role, kind):
        account = own["account"] if role == "doctor" else None
        patient = own["patient"] if role in ("patient", "proxy") else None
        if kind == "tenant":
            return elsewhere(role, account=stranger if role == "doctor" else None, patient=access.new_id() if patient else None)
        if kind == "expired":
            return mint(role, account=account, patient=patient, age=7200)
        if kind == "revoked":
            return mint(role, account=gone, patient=patient, age=300)
        return mint(role, account=account, patient=patient)

    boss.patch(f"/v1/users/{gone}", {"active": False})
    services = access.Services(env["POLYCLINIC_DATA"])
    all_routes = list(access.routes(told(env)))
    for service in access.SERVICES[:-1]:  # until the withdrawal is known everywhere
        guarded = next(p for s, m, p, perm, _ in all_routes if s == service and m == "GET" and perm != "anyone" and ":" not in p)
        until = time.monotonic() + 30
        while services.call(service, "GET", guarded, tokens("admin", "revoked"))[0] != 401:
            assert time.monotonic() < until, service
            time.sleep(0.2)
    ids = {"nobody": access.new_id()}
    return all_routes, services, tokens, sets, ids, bodies.operations(door.get("/v1/openapi.json").json)


@pytest.fixture(scope="module")
def sights(world, env):
    """What every list shows to every role; read when all events have arrived, and before the matrix adds anything."""
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        assert not (left := checks.settle(database, env["AMQP_ADMIN_URL"], 30)), left
    routes, services, tokens, sets, _, documented = world
    return access.seen(routes, services, tokens, sets, documented)


@pytest.fixture(scope="module")
def answers():
    """What every cell was told, once the matrix is filled."""
    return []


@pytest.fixture(scope="module")
def traces():
    """By which trace each of those answers was asked for."""
    return []


@pytest.fixture(scope="module")
def cells(world, sights, answers, traces):
    return access.matrix(*world, answers, traces)


def declared(name, said):
    """What differs from the file of this name; written anew when asked to."""
    file = POLICY / name
    if os.environ.get("ACCESS_REGENERATE"):
        file.write_text(said)
    return "\n".join(sorted(set(said.splitlines()) ^ set(file.read_text().splitlines()))[:40])


def test_every_list_shows_whose_records_it_is_declared_to(world, sights):
    assert not (differing := declared("lists.txt", access.lists_text(sights, world[3]))), differing


def test_a_list_shows_a_patient_or_proxy_nothing_of_another(world, sights):
    for (service, pattern, name, kind, role), answer in sights.items():
        if role in ("patient", "proxy"):
            shown = access.whose(answer, world[3], access.OF_PATIENTS)
            assert kind == "tenant" or set(shown) <= {"own"}, (service, pattern, name, kind, role, shown)
    for service, pattern in (("scheduling", "/v1/appointments"), ("billing", "/v1/invoices"), ("clinical", "/v1/patients")):  # and their own is there to be seen
        for role in ("patient", "proxy"):
            assert access.whose(sights[(service, pattern, "", "own", role)], world[3], access.OF_PATIENTS) == ["own"], (pattern, role)


def test_a_list_shows_nothing_of_another_tenant(world, sights):
    ours = {value for kind in ("own", "other", "site") for value in world[3][kind].values()}
    read = 0
    for (service, pattern, name, kind, role), answer in sights.items():
        if kind != "tenant":
            continue
        read += 1
        rows = [row for page in answer for row in (page.get("items", [page]) if isinstance(page, dict) else [page])]
        for row in rows:
            found = {value for value in ours if value in access.json.dumps(row)}
            # Their own trail repeats what they asked for in vain, and says nothing of what is there.
            in_vain = pattern == "/v1/reports/audit-logs" and row["allowed"] is False and "before" not in row and "after" not in row
            # What a filter asked for may be repeated with an empty answer: `providerId` of a board without tokens.
            echo = found <= {world[3]["own"][access.FILTERS[name]]} and pattern.startswith("/v1/queue") if name in access.FILTERS else False
            assert not found or in_vain or echo, (service, pattern, name, role, row)
    assert read > 100


def test_where_charts_open_by_care_lists_show_a_doctor_no_chart_of_others(world, sights):
    for (service, pattern, name, kind, role), answer in sights.items():
        if role == "doctor" and kind != "tenant":
            shown = access.whose(answer, world[3], ("visit", "signed", "prescription", "dispensing", "consent", "glass"))
            assert set(shown) <= {"own"}, (service, pattern, name, kind, shown)


def test_the_whole_matrix_is_what_is_declared(cells):
    assert not (differing := declared("access.txt", access.text(cells))), differing
    print(f"{sum(len(by_role) for by_role in cells.values())} cells are as declared")


def test_nobody_without_a_good_token_gets_in_anywhere(cells):
    for (service, method, pattern, kind), by_role in cells.items():
        if kind in ("expired", "revoked"):
            assert set(by_role.values()) == {401}, (service, method, pattern, kind, by_role)


def test_a_role_without_the_permission_gets_in_nowhere(world, cells):
    for service, method, pattern, permission, roles in world[0]:
        if permission in ("anyone", "signedIn"):
            continue
        for kind in ("own", "other", "site", "tenant"):
            for role, status in cells[(service, method, pattern, kind)].items():
                assert role in roles or status == 403, (service, method, pattern, kind, role, status)


def test_no_record_of_another_tenant_is_reached(cells):
    for (service, method, pattern, kind), by_role in cells.items():
        if kind == "tenant" and "/:id" in pattern and not pattern.startswith("/internal/export/") and not pattern.endswith("/settlement"):  # empty, there or not
            assert all(s >= 400 for s in by_role.values()), (service, method, pattern, by_role)


def test_every_write_of_the_matrix_that_was_done_left_an_entry(cells, answers, traces, database):
    """S15: as many as were answered 2xx, whoever asked. The writes of every route are asked in test_zz_canaries.py."""
    done = {trace: (service, method, pattern) for trace, (service, method, pattern, _, _, status, _) in zip(traces, answers, strict=True)
            if method != "GET" and pattern != "/v1/patients/search" and status < 300}
    assert len(done) > 100 and {service for service, _, _ in done.values()} >= {"auth", "scheduling", "queue", "clinical", "pharmacy"}, len(done)
    assert not (wrong := access.unrecorded(database, done, access.REPEATED)), "\n".join(map(str, wrong))
    print(f"{len(done)} writes of {len(set(done.values()))} routes; each left an entry or is excused by name")


def every_list(value):
    """All lists of a body, wherever they stand."""
    if isinstance(value, list):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_list(member)


def test_an_export_for_another_tenant_has_nothing_inside(world, answers, cells, database):
    """Asked for somebody of another tenant, a service says what it keeps of them: nothing, in every list. Only reporting has
    something to tell: the asking tenant's own trail, which repeats what they asked for and says nothing of what is there."""
    asking = access.claims(world[2]("admin", "tenant"))["tid"]
    keep = {service for service, _, pattern, _, _ in world[0] if pattern == "/internal/export/patients/:id"}
    assert len(keep) == 7, keep
    for kind in ("own", "tenant"):
        bodies_of = {}
        for service, _, pattern, found, role, status, said in answers:
            if pattern == "/internal/export/patients/:id" and found == kind and status == 200:
                bodies_of.setdefault(service, {})[role] = list(every_list(access.json.loads(said)))
        assert set(bodies_of) == keep and all("admin" in by_role for by_role in bodies_of.values()), (kind, bodies_of.keys())
        for service, by_role in bodies_of.items():
            for role, lists in by_role.items():
                assert lists, (service, role)
                if kind == "tenant":
                    rows = [row for found in lists for row in found]
                    own = service == "reporting" and {str(t) for (t,) in database.execute(
                        "select tenant_id from reporting.audit_entry where id = any(%s)", [[row["id"] for row in rows]])} <= {asking}
                    assert not rows or own, (service, role, rows[:2])
            assert kind == "tenant" or any(by_role["admin"]), f"{service} shows the own tenant nothing either"


def test_no_call_is_answered_with_a_mistake_of_ours(cells):
    for (service, method, pattern, kind), by_role in cells.items():
        assert all(status < 500 for status in by_role.values()), (service, method, pattern, kind, by_role)


# What is written in somebody else's words: standards, a browser's credential options, a person's whole record, a page to print.
OPEN_ENDED = {"/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
              "/v1/auth/passkeys/challenge", "/v1/auth/passkeys/registration", "/v1/patients/:id/export", "/v1/auth/me/export",
              "/v1/prescriptions/:id/print"}


def test_every_answer_has_the_fields_that_are_declared_and_no_other(world, cells, answers, sights, door):
    """Each JSON answer against the schema of the OpenAPI document, refusals as problems; OAuth has its own."""
    document, documented, known, validated = door.get("/v1/openapi.json").json, world[5], {}, set()
    said = answers + [(service, "GET", pattern, kind, role, 200, access.json.dumps(page))
                      for (service, pattern, _, kind, role), pages in sights.items() for page in pages]
    for service, method, pattern, kind, role, status, body in said:
        operation = documented.get((method, pattern))
        if not operation or not body or pattern.startswith("/oauth2") or not (status >= 400 or "application/json" in operation["responses"].get(str(status), {}).get("content", {})):
            continue
        key = (method, pattern, status) if status < 400 else "problem"
        if key not in known:
            schema = document["components"]["schemas"]["Problem"] if key == "problem" else operation["responses"][str(status)]["content"]["application/json"]["schema"]
            known[key] = jsonschema.Draft202012Validator(schema) if schema else None
            assert schema or pattern in OPEN_ENDED, f"{method} {pattern} declares no fields of its answer"
        if known[key] is None:
            continue
        wrong = jsonschema.exceptions.best_match(known[key].iter_errors(access.json.loads(body)))
        assert wrong is None, (service, method, pattern, kind, role, status, wrong.message, list(wrong.absolute_path))
        validated.add(key)
    assert len(validated) > 70, len(validated)
    print(f"{len(validated)} kinds of answers are as declared")


def test_a_field_for_some_roles_is_not_shown_to_others(env, cells, answers):
    """Of the routes that show a field to some roles only: absent for the others, and there for whom it is meant."""
    shown, limited = collections.defaultdict(set), list(access.fields(told(env)))
    for service, method, pattern, kind, role, status, body in answers:
        if kind in ("own", "other", "site") and status in (200, 201):
            for limit_method, limit_pattern, field, roles in limited:
                if (limit_method, limit_pattern) == (method, pattern) and field in access.json.loads(body):
                    assert role in roles, (method, pattern, field, role)
                    shown[(method, pattern, field)].add(role)
    for field in ("allergies", "conditions", "address", "emergencyContact"):
        assert {"patient", "doctor", "admin"} <= shown[("GET", "/v1/patients/:id", field)], shown


def test_a_record_is_the_one_that_was_asked_for(world):
    _, services, tokens, sets, ids, documented = world
    asked = 0
    for service, method, pattern, permission, _ in world[0]:
        if method != "GET" or not pattern.endswith("/:id") or (method, pattern) not in documented:
            continue
        for kind in ("own", "other", "site"):
            path, _, _ = access.probe(method, pattern, sets[kind], sets[kind], ids, None)
            for role in ("admin", "reception", "pharmacist", "doctor"):
                status, body = services.call(service, method, path, tokens(role, kind))
                if status == 200:
                    asked += 1
                    assert access.json.loads(body)["id"] == path.rsplit("/", 1)[1], (path, role)
    assert asked > 30


# Their bodies are proofs that nobody can make up: a signature, or a code sent to somebody.
PROVEN = {"/v1/auth/passkeys"}


def test_every_write_gets_as_far_as_the_record(cells):
    """No body fails by its form: what refused another patient's or another tenant's record was the rule about it."""
    for (service, method, pattern, kind), by_role in cells.items():
        if kind in ("own", "other", "site", "tenant", "nested") and pattern not in PROVEN:
            assert 400 not in by_role.values(), (service, method, pattern, kind, by_role)


def test_another_patients_record_under_ones_own_address_is_not_there(cells):
    nested = {(service, method, pattern): by_role for (service, method, pattern, kind), by_role in cells.items() if kind == "nested"}
    assert len(nested) >= 2
    for route, by_role in nested.items():
        assert set(by_role.values()) <= {403, 404} and 404 in by_role.values(), (route, by_role)


OF_A_PATIENT = ("/v1/patients/:id", "/v1/visits/:id", "/v1/prescriptions/:id", "/v1/appointments/:id", "/v1/invoices/:id",
                "/internal/cards/patients", "/internal/cards/visits", "/internal/cards/prescriptions/:id", "/internal/cards/appointments")


def test_a_patient_or_proxy_reaches_no_other_patient(cells):
    for (service, method, pattern, kind), by_role in cells.items():
        if kind in ("other", "site", "tenant") and pattern.startswith(OF_A_PATIENT) and "settlement" not in pattern:
            for role in ("patient", "proxy"):
                assert by_role[role] in (403, 404), (service, method, pattern, kind, role, by_role[role])


def test_where_charts_open_by_care_a_doctor_reaches_own_patients_only(cells):
    for (service, method, pattern, kind), by_role in cells.items():
        if pattern.startswith(("/v1/visits/:id", "/v1/patients/:id")) and not pattern.endswith("break-glass") and by_role.get("doctor"):
            if kind in ("other", "site"):
                assert by_role["doctor"] in (403, 404), (service, method, pattern, kind, by_role["doctor"])


def test_a_denial_says_the_same_whether_the_record_exists(world):
    _, services, tokens, sets, ids, _ = world
    for service, path in [("clinical", "/v1/patients/{}"), ("clinical", "/v1/patients/{}/visits"), ("reporting", "/v1/patients/{}/access-log")]:
        answers = [services.call(service, "GET", path.format(i), tokens("patient", "own")) for i in (sets["other"]["patient"], ids["nobody"])]
        bodies = [{k: v for k, v in access.json.loads(b).items() if k != "traceId"} for _, b in answers]
        assert answers[0][0] == answers[1][0] == 404 and bodies[0] == bodies[1], (path, bodies)
    for role in ("cashier", "lab", "display"):
        answers = [services.call("clinical", "GET", f"/v1/visits/{i}", tokens(role, "own")) for i in (sets["other"]["visit"], ids["nobody"])]
        assert [a[0] for a in answers] == [403, 403]
