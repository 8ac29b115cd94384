"""Every cell of the access matrix is what is declared, and the declaration keeps what was promised (S1)."""
import os
import pathlib
import subprocess
import sys
import time

import pytest

from clinic import LICENCE, PASSWORD, Clinic, unique

POLICY = pathlib.Path(__file__).resolve().parents[1] / "Policy"
sys.path.insert(0, str(POLICY))
import access  # noqa: E402


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
    batch = drug.post("/v1/inventory/batches", {
        "medicineId": medicine, "lotNumber": unique("LOT"), "quantity": 500, "expiryDate": "2099-01-01"})["id"]
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))

    def records(location):
        """One patient with something in every table."""
        account = boss.post("/v1/users", {
            "name": "Dr. Matrix", "email": f"{unique('doctor')}@matrix.example", "roles": ["doctor"], "password": PASSWORD, "licence": LICENCE, "locationId": location})["id"]
        found = boss.eventually("/v1/providers?limit=100", lambda a: any(p["accountId"] == account and p["licensed"] for p in a["items"]))
        provider = next(p["id"] for p in found["items"] if p["accountId"] == account)
        desk = Clinic(door.url, mint("reception", location=location))
        doctor = Clinic(door.url, mint("doctor", location=location, account=account))
        patient, spare = (desk.post("/v1/patients", {"name": "Matrix Row", "birthDate": "1980-02-29", "phone": "+919876543210"})["id"] for _ in "12")
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
        return {"account": account, "doctor": account, "provider": provider, "patient": patient, "spare": spare, "slot": slot,
                "appointment": appointment, "token": token, "signed": signed, "visit": visit, "prescription": prescription,
                "invoice": invoice, "dispensing": given["id"], "medicine": medicine, "batch": batch, "location": location}

    first = mint.claims["loc"]
    sets = {"own": records(first), "other": records(first), "site": records(second)}
    sets["tenant"] = sets["own"]
    glass = Clinic(door.url, mint("doctor")).post(f"/v1/patients/{sets['site']['spare']}/break-glass", {"reason": "To fill the matrix"})["id"]
    for each in sets.values():
        each["glass"] = glass

    # One account whose tokens were withdrawn; it had every role.
    gone = boss.post("/v1/users", {"name": "Gone", "email": f"{unique('gone')}@matrix.example", "roles": ["nurse"], "password": PASSWORD})["id"]
    own = sets["own"]

    def tokens(role, kind):
        account = own["account"] if role == "doctor" else None
        patient = own["patient"] if role in ("patient", "proxy") else None
        if kind == "tenant":
            return elsewhere(role, patient=access.new_id() if patient else None)
        if kind == "expired":
            return mint(role, account=account, patient=patient, age=7200)
        if kind == "revoked":
            return mint(role, account=gone, patient=patient, age=300)
        return mint(role, account=account, patient=patient)

    boss.patch(f"/v1/users/{gone}", {"active": False})
    services = access.Services(env["POLYCLINIC_DATA"])
    all_routes = list(access.routes(
        lambda s: subprocess.run([f"{env['POLYCLINIC_DATA']}/bin/{s}", "routes", "--matrix"], check=True, capture_output=True, text=True).stdout))
    for service in access.SERVICES[:-1]:  # until the withdrawal is known everywhere
        guarded = next(p for s, m, p, perm, _ in all_routes if s == service and m == "GET" and perm != "anyone" and ":" not in p)
        until = time.monotonic() + 30
        while services.call(service, "GET", guarded, tokens("admin", "revoked"))[0] != 401:
            assert time.monotonic() < until, service
            time.sleep(0.2)
    ids = {"nobody": access.new_id()}
    return all_routes, services, tokens, sets, ids


@pytest.fixture(scope="module")
def cells(world):
    return access.matrix(*world)


def test_the_whole_matrix_is_what_is_declared(cells):
    said = access.text(cells)
    file = POLICY / "access.txt"
    if os.environ.get("ACCESS_REGENERATE"):
        file.write_text(said)
    declared = file.read_text().splitlines()
    differing = sorted(set(said.splitlines()) ^ set(declared))
    assert not differing, "\n".join(differing[:40])
    print(f"{sum(len(by_role) for by_role in cells.values())} cells are as declared")


def test_nobody_without_a_good_token_gets_in_anywhere(cells):
    for (method, pattern, kind), by_role in cells.items():
        if kind in ("expired", "revoked"):
            assert set(by_role.values()) == {401}, (method, pattern, kind, by_role)


def test_a_role_without_the_permission_gets_in_nowhere(world, cells):
    for service, method, pattern, permission, roles in world[0]:
        if permission in ("anyone", "signedIn"):
            continue
        for kind in ("own", "other", "site", "tenant"):
            for role, status in cells[(method, pattern, kind)].items():
                assert role in roles or status == 403, (method, pattern, kind, role, status)


def test_no_record_of_another_tenant_is_reached(cells):
    for (method, pattern, kind), by_role in cells.items():
        if kind == "tenant" and "/:id" in pattern and not pattern.startswith("/internal/export/") and not pattern.endswith("/settlement"):  # empty, there or not
            assert all(s >= 400 for s in by_role.values()), (method, pattern, by_role)


OF_A_PATIENT = ("/v1/patients/:id", "/v1/visits/:id", "/v1/prescriptions/:id", "/v1/appointments/:id", "/v1/invoices/:id",
                "/internal/cards/patients", "/internal/cards/visits", "/internal/cards/prescriptions/:id", "/internal/cards/appointments")


def test_a_patient_or_proxy_reaches_no_other_patient(cells):
    for (method, pattern, kind), by_role in cells.items():
        if kind in ("other", "site", "tenant") and pattern.startswith(OF_A_PATIENT) and "settlement" not in pattern:
            for role in ("patient", "proxy"):
                assert by_role[role] in (403, 404), (method, pattern, kind, role, by_role[role])


def test_where_charts_open_by_care_a_doctor_reaches_own_patients_only(cells):
    for (method, pattern, kind), by_role in cells.items():
        if pattern.startswith(("/v1/visits/:id", "/v1/patients/:id")) and not pattern.endswith("break-glass") and by_role.get("doctor"):
            if kind in ("other", "site"):
                assert by_role["doctor"] in (403, 404), (method, pattern, kind, by_role["doctor"])


def test_a_denial_says_the_same_whether_the_record_exists(world):
    _, services, tokens, sets, ids = world
    for service, path in [("clinical", "/v1/patients/{}"), ("clinical", "/v1/patients/{}/visits"), ("reporting", "/v1/patients/{}/access-log")]:
        answers = [services.call(service, "GET", path.format(i), tokens("patient", "own")) for i in (sets["other"]["patient"], ids["nobody"])]
        bodies = [{k: v for k, v in access.json.loads(b).items() if k != "traceId"} for _, b in answers]
        assert answers[0][0] == answers[1][0] == 404 and bodies[0] == bodies[1], (path, bodies)
    for role in ("cashier", "lab", "display"):
        answers = [services.call("clinical", "GET", f"/v1/visits/{i}", tokens(role, "own")) for i in (sets["other"]["visit"], ids["nobody"])]
        assert [a[0] for a in answers] == [403, 403]
