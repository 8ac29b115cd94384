"""Opening a closed chart needs a reason and a fresh proof, ends by itself, is judged by somebody else, and is not forgotten (S19)."""
import pathlib
import re
import sys
import time

import pytest

from clinic import SEEN_LICENCE, Clinic, metrics, unique

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Policy"))
import access  # noqa: E402

REASON = {"reason": "Unconscious in the emergency room"}


@pytest.fixture(scope="module")
def mint(env, stack, door):
    """Signs tokens of a clinic where charts open to those who treat."""
    secrets = env["POLYCLINIC_DATA"] + "/secrets"
    email = f"{unique('admin')}@glass.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Glass"), "--location-name", "One", "--zone", "Etc/GMT",
          "--currency", "INR", "--admin-email", email, "--admin-password-file", f"{secrets}/demo_password")
    mint = access.Mint(f"{secrets}/jwt_private.pem", door.as_(email).token)
    Clinic(door.url, mint("admin")).call("PUT", "/v1/charts/policy", {"policy": "care"}, expect=200)
    return mint


@pytest.fixture()
def patient(door, mint):
    return Clinic(door.url, mint("reception")).post("/v1/patients", {"name": "Closed Chart", "birthDate": "1980-02-29", "phone": "+919876543210"})["id"]


def test_a_broken_glass_opens_one_chart_until_it_ends_and_for_an_hour_at_most(door, mint, patient, database):
    doctor = Clinic(door.url, mint("doctor"))
    chart = f"/v1/patients/{patient}"
    assert doctor.call("GET", chart).status == 403
    assert doctor.call("POST", f"{chart}/break-glass", {**REASON, "minutes": 61}).status == 400
    assert doctor.call("POST", f"{chart}/break-glass", {}).status == 400
    grant = doctor.post(f"{chart}/break-glass", {**REASON, "minutes": 60})
    assert doctor.call("GET", chart).status == 200
    given, ends = database.execute("select granted_at, expires_at from clinical.glass_grant where id = %s", [grant["id"]]).fetchone()
    assert (ends - given).total_seconds() == 3600
    # An hour later, as far as this grant knows.
    database.execute("update clinical.glass_grant set granted_at = granted_at - interval '61 min', expires_at = expires_at - interval '61 min' where id = %s", [grant["id"]])
    assert doctor.call("GET", chart).status == 403


def test_it_takes_a_fresh_proof(door, mint, patient):
    for age, status in ((301, 401), (0, 201)):
        doctor = Clinic(door.url, mint("doctor", age=age))
        answer = doctor.call("POST", f"/v1/patients/{patient}/break-glass", REASON)
        assert answer.status == status, answer
        if age:
            assert answer.code == "insufficient_user_authentication"
            assert doctor.call("GET", f"/v1/patients/{patient}").status == 403


def test_who_broke_it_does_not_judge_it_and_nobody_judges_twice(door, mint, patient):
    own = access.new_id()
    grant = Clinic(door.url, mint("admin", account=own)).call("POST", f"/v1/patients/{patient}/break-glass", REASON)
    if grant.status != 201:  # an administrator sees every chart that is not restricted; as a doctor the same person does not
        grant = Clinic(door.url, mint("doctor", account=own)).post(f"/v1/patients/{patient}/break-glass", REASON)
    review, verdict = f"/v1/break-glass/{grant['id']}/review", {"outcome": "justified"}
    for role in ("admin", "auditor"):
        answer = Clinic(door.url, mint(role, account=own)).call("POST", review, verdict)
        assert (answer.status, answer.code) == (403, "own_break_glass"), (role, answer)
    assert Clinic(door.url, mint("auditor")).call("POST", review, verdict).status == 200
    assert Clinic(door.url, mint("auditor")).call("POST", review, verdict).code == "already_reviewed"


def test_a_glass_that_nobody_judges_in_time_raises_the_alarm(env, door, mint, patient, database):
    grant = Clinic(door.url, mint("doctor")).post(f"/v1/patients/{patient}/break-glass", REASON)["id"]
    database.execute("update clinical.glass_grant set granted_at = granted_at - interval '100 h', expires_at = expires_at - interval '100 h' where id = %s", [grant])
    assert grant in [g["id"] for g in Clinic(door.url, mint("auditor")).get("/v1/break-glass?status=overdue&limit=100")["items"]]
    until = time.monotonic() + 45  # it looks every quarter of a minute
    while not (row := database.execute("select overdue_at from clinical.glass_grant where id = %s and overdue_at is not null", [grant]).fetchone()):
        assert time.monotonic() < until, "no alarm was raised"
        time.sleep(0.2)
    assert row
    said = database.execute("select count(*) from clinical.outbox where type = 'clinical.glass.unreviewed.v1' and data->>'grantId' = %s", [grant]).fetchone()[0]
    assert said == 1
    assert int(re.search(r"polyclinic_break_glass_overdue (\d+)", metrics(env, "clinical")).group(1)) >= 1


@pytest.fixture()
def locked(door, mint, patient):
    """The same patient, treated by a doctor who has locked the chart: (the doctor, the chart's address)."""
    account = Clinic(door.url, mint("admin")).open_account(
        {"name": "Dr. Treats", "email": f"{unique('treats')}@glass.example", "roles": ["doctor"], "licence": SEEN_LICENCE})["id"]
    doctor = Clinic(door.url, mint("doctor", account=account))
    chart = f"/v1/patients/{patient}"
    doctor.post(f"{chart}/break-glass", REASON)
    doctor.post("/v1/visits", {"patientId": patient})
    Clinic(door.url, mint("admin")).call("PUT", f"{chart}/restriction", {"restricted": True}, expect=204)
    return doctor, chart


def test_a_broken_glass_does_not_unlock_the_chart_nor_does_the_visit_begun_on_it(door, mint, locked):
    treating, chart = locked
    stranger = Clinic(door.url, mint("doctor"))
    stranger.post(f"{chart}/break-glass", REASON)
    for doctor in (stranger, treating):
        doctor.get(chart)
        answer = doctor.call("PUT", f"{chart}/restriction", {"restricted": False, "reason": "I would like to go on reading"})
        assert (answer.status, answer.code) == (403, "chart_restricted"), answer
        answer = doctor.call("POST", f"{chart}/referrals", {"accountId": access.new_id()})
        assert (answer.status, answer.code) == (403, "chart_restricted"), answer
    assert treating.get(chart)["restricted"] is True


def test_who_unlocks_a_chart_of_somebody_they_do_not_treat_says_why_and_is_judged(door, mint, locked):
    _, chart = locked
    account = access.new_id()
    admin, stale = Clinic(door.url, mint("admin", account=account)), Clinic(door.url, mint("admin", age=301))
    assert stale.call("PUT", f"{chart}/restriction", {"restricted": False, "reason": "Left the clinic"}).code == "insufficient_user_authentication"
    assert admin.call("PUT", f"{chart}/restriction", {"restricted": False}).code == "reason_required"
    assert admin.call("GET", chart).code == "chart_restricted"
    admin.call("PUT", f"{chart}/restriction", {"restricted": False, "reason": "The colleague has left the clinic"}, expect=204)
    admin.call("PUT", f"{chart}/restriction", {"restricted": True}, expect=204)
    auditor = Clinic(door.url, mint("auditor"))
    entry = next(g for g in auditor.get("/v1/break-glass?limit=100")["items"] if g["accountId"] == account)
    assert (entry["kind"], entry["reason"]) == ("unlocked", "The colleague has left the clinic")
    auditor.eventually("/v1/notifications?limit=100", lambda a: any(n["subjectId"] == entry["id"] for n in a["items"]), seconds=60)
    assert admin.call("GET", chart).code == "chart_restricted"
    assert admin.call("POST", f"/v1/break-glass/{entry['id']}/review", {"outcome": "justified"}).code == "own_break_glass"
    auditor.call("POST", f"/v1/break-glass/{entry['id']}/review", {"outcome": "justified"}, expect=200)


def test_an_administrator_exports_a_locked_chart_on_a_broken_glass_only_and_the_patient_always(door, mint, locked):
    _, chart = locked
    admin, own = Clinic(door.url, mint("admin")), Clinic(door.url, mint("patient", patient=chart.rsplit("/", 1)[1]))
    own.get(f"{chart}/export")
    assert admin.call("GET", f"{chart}/export").code == "chart_restricted"
    admin.post(f"{chart}/break-glass", REASON)
    admin.get(f"{chart}/export")
