"""Doctors whose papers nobody has seen, practitioners who left, and accounts that must be out everywhere at once."""
import base64
import concurrent.futures
import datetime
import os
import pathlib
import re
import socket
import sys
import time
import uuid

import pytest

from clinic import Clinic, Unexpected, metrics, new_doctor, today, unique

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Policy"))
import access  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
PDF = b"%PDF-1.7\n" + b"an identity card of CANARY-7781\n" * 100


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def provider_of(admin, account, condition=lambda provider: True):
    found = admin.eventually(f"/v1/providers?accountId={account['id']}", lambda a: a["items"] and condition(a["items"][0]))
    return found["items"][0]


@pytest.fixture()
def newcomer(door, admin):
    """A doctor who has just begun: client, account, provider."""
    email = f"{unique('newcomer')}@demo.example"
    account = admin.open_account({"name": "Dr. New", "email": email, "roles": ["doctor"]}).json
    return Clinic(door.url).as_(email), account, provider_of(admin, account)


def roster(provider, first=1, days=2):
    day = today() + datetime.timedelta(days=first)
    return {"providerId": provider["id"], "from": str(day), "to": str(day + datetime.timedelta(days=days - 1)),
            "start": "09:00", "end": "12:00", "slotMinutes": 30}


def hand_in(doctor, until):
    doctor.call("PUT", "/v1/auth/licence", {"number": "MCI-4711", "authority": "State Medical Council", "validUntil": str(until)}, expect=200)
    for kind, data in (("licence", PNG), ("identity", PDF)):
        doctor.post("/v1/auth/licence/documents", {"kind": kind, "content": encoded(data)})
    doctor.post("/v1/auth/licence/submission", expect=200)


def test_nobody_is_booked_with_a_doctor_whose_licence_nobody_has_seen(newcomer, admin, reception, make_patient, database):
    doctor, account, provider = newcomer
    assert provider["licensed"] is False
    assert admin.call("POST", "/v1/slots/bulk", roster(provider)).code == "provider_unlicensed"

    assert doctor.call("POST", "/v1/auth/licence/submission").status == 404
    doctor.call("PUT", "/v1/auth/licence", {"number": "MCI-4711", "authority": "Council", "validUntil": str(today() + datetime.timedelta(days=900))}, expect=200)
    assert doctor.call("POST", "/v1/auth/licence/submission").code == "documents_missing"
    assert doctor.call("POST", "/v1/auth/licence/documents", {"kind": "licence", "content": encoded(b"MZ an executable")}).code == "invalid_request"
    hand_in(doctor, today() + datetime.timedelta(days=900))
    assert admin.call("POST", "/v1/slots/bulk", roster(provider)).code == "provider_unlicensed"

    assert doctor.call("POST", f"/v1/users/{account['id']}/licence/decision", {"verified": True}).status == 403
    licence = admin.get(f"/v1/users/{account['id']}/licence")
    page = next(d for d in licence["documents"] if d["kind"] == "identity")
    content = admin.get(f"/v1/users/{account['id']}/licence/documents/{page['id']}")
    assert base64.urlsafe_b64decode(content["content"] + "==") == PDF and content["mediaType"] == "application/pdf"
    for (raw,) in database.execute("select content from auth.licence_document where account_id = %s", (account["id"],)):
        assert b"CANARY-7781" not in bytes(raw)
    assert admin.call("POST", f"/v1/users/{account['id']}/licence/decision", {"verified": False}).code == "invalid_request"
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": True}, expect=200)

    provider_of(admin, account, lambda p: p["licensed"])
    assert admin.post("/v1/slots/bulk", roster(provider))["created"] > 0
    day = today() + datetime.timedelta(days=1)
    free = f"/v1/slots?providerId={provider['id']}&date={day}&status=free"
    slots = admin.get(free)["items"]
    reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": make_patient()["id"]}, key=unique())

    # The council takes it back: the open slots are there and nobody gets one.
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": False, "reason": "withdrawn by the council"}, expect=200)
    provider_of(admin, account, lambda p: not p["licensed"])
    refused = reception.call("POST", "/v1/appointments", {"slotId": slots[1]["id"], "patientId": make_patient()["id"]}, key=unique())
    assert refused.status == 422 and refused.code == "provider_unlicensed"
    assert admin.get(free)["items"] == []


def test_a_licence_is_good_until_its_last_day(newcomer, admin, reception, make_patient):
    doctor, account, provider = newcomer
    last = today() + datetime.timedelta(days=1)
    hand_in(doctor, last)
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": True}, expect=200)
    provider_of(admin, account, lambda p: p["licensed"])
    admin.post("/v1/slots/bulk", roster(provider, days=2))
    on_last = admin.get(f"/v1/slots?providerId={provider['id']}&date={last}&status=free")["items"]
    assert on_last
    after = last + datetime.timedelta(days=1)
    assert admin.get(f"/v1/slots?providerId={provider['id']}&date={after}&status=free")["items"] == []
    slot = admin.get(f"/v1/slots?providerId={provider['id']}&date={after}")["items"][0]
    refused = reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]}, key=unique())
    assert refused.code == "provider_unlicensed"
    assert admin.call("POST", "/v1/slots/bulk", roster(provider, first=3)).code == "provider_unlicensed"


def test_a_licence_counts_at_once_only_when_somebody_saw_both_papers(admin):
    def open_account(**seen):
        return admin.call("POST", "/v1/users", {
            "name": "Dr. Seen", "email": f"{unique('seen')}@demo.example", "roles": ["doctor"],
            "licence": {"number": "MCI-4711", "authority": "Council", "validUntil": "2199-12-31", **seen}})
    assert open_account().status == 400
    assert open_account(seen=["licence"]).code == open_account(seen=["identity"]).code == "papers_not_seen"
    account = open_account(seen=["licence", "identity"]).json
    provider_of(admin, account, lambda p: p["licensed"])
    assert admin.get(f"/v1/users/{account['id']}/licence")["seen"] == ["licence", "identity"]
    admin.eventually("/v1/reports/audit-logs?limit=50", lambda a: any(e["action"] == "attest" and e["resourceId"] == account["id"] for e in a["items"]))


def test_a_renewed_licence_asks_for_a_new_look_and_the_old_one_holds_meanwhile(newcomer, admin):
    doctor, account, provider = newcomer
    hand_in(doctor, today() + datetime.timedelta(days=900))
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": True}, expect=200)
    provider_of(admin, account, lambda p: p["licensed"])
    later = str(today() + datetime.timedelta(days=999))
    doctor.call("PUT", "/v1/auth/licence", {"number": "MCI-4712", "authority": "State Medical Council", "validUntil": later}, expect=200)
    # Pages of the last submission were shown for another licence.
    assert doctor.call("POST", "/v1/auth/licence/submission").code == "documents_missing"
    assert admin.post("/v1/slots/bulk", roster(provider))["created"] > 0
    for kind, data in (("licence", PNG), ("identity", PDF)):
        doctor.post("/v1/auth/licence/documents", {"kind": kind, "content": encoded(data)})
    doctor.post("/v1/auth/licence/submission", expect=200)
    decision = f"/v1/users/{account['id']}/licence/decision"
    refused = admin.post(decision, {"verified": False, "reason": "unreadable"}, expect=200)
    assert refused["inForceUntil"] == str(today() + datetime.timedelta(days=900))
    assert provider_of(admin, account)["licensed"] is True
    admin.post(decision, {"verified": False, "reason": "the council's word", "withdraws": True}, expect=200)
    provider_of(admin, account, lambda p: not p["licensed"])


def test_nobody_prescribes_whose_licence_nobody_has_seen(newcomer, admin, make_patient, make_medicine):
    doctor, account, provider = newcomer
    decide(doctor, admin, account, True)
    order = {"visitId": doctor.post("/v1/visits", {"patientId": make_patient()["id"]}, key=unique())["id"], "items": [
        {"medicineId": make_medicine()["id"], "dose": 1, "frequencyPerDay": 1, "durationDays": 5}]}
    doctor.post("/v1/prescriptions", order, key=unique())
    decide(doctor, admin, account, False)
    refused = refused_soon(lambda: doctor.call("POST", "/v1/prescriptions", order, key=unique()))
    assert refused.status == 422 and refused.code == "prescriber_unlicensed"


def refused_soon(ask, seconds=20):
    """Asks until the service has heard that it should refuse."""
    until = time.monotonic() + seconds
    while (answer := ask()).status < 300 and time.monotonic() < until:
        time.sleep(0.05)
    return answer


def decide(doctor, admin, account, verified):
    """An administrator looks at the licence, and the directory knows."""
    if verified:
        hand_in(doctor, today() + datetime.timedelta(days=900))
    reason = {} if verified else {"reason": "withdrawn by the council"}
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": verified} | reason, expect=200)
    provider_of(admin, account, lambda p: p["licensed"] == verified)


def test_nobody_waits_for_or_is_called_by_a_doctor_whose_licence_nobody_has_seen(newcomer, admin, reception, make_patient):
    doctor, account, provider = newcomer
    walk_in = {"patientId": make_patient()["id"], "providerId": provider["id"]}
    refused = reception.call("POST", "/v1/queue/walk-in", walk_in, key=unique())
    assert refused.status == 422 and refused.code == "provider_unlicensed"
    assert doctor.call("POST", "/v1/queue/next", {}).code == "provider_unlicensed"
    decide(doctor, admin, account, True)
    token = reception.post("/v1/queue/walk-in", walk_in, key=unique())["id"]
    decide(doctor, admin, account, False)
    refused = refused_soon(lambda: reception.call("PATCH", f"/v1/queue/{token}", {"status": "WITH_DOCTOR"}))
    assert refused.code == "provider_unlicensed"


def test_nobody_walks_in_to_a_doctor_who_is_offline(admin, reception, make_patient):
    doctor, provider = new_doctor(admin)
    walk_in = {"patientId": make_patient()["id"], "providerId": provider["id"]}
    doctor.call("PUT", f"/v1/providers/{provider['id']}/presence", {"status": "offline"}, expect=200)
    refused = reception.call("POST", "/v1/queue/walk-in", walk_in, key=unique())
    assert refused.status == 409 and refused.code == "provider_offline"
    reception.post("/v1/queue/walk-in", walk_in | {"force": True}, key=unique())
    doctor.post("/v1/queue/next", {}, expect=200)
    admin.eventually(f"/v1/providers/{provider['id']}", lambda p: p["status"] == "online")


def test_a_doctor_hears_of_the_own_time_and_of_nobody_elses(admin, reception, make_patient, make_slots):
    (mine, provider), (other, _) = new_doctor(admin), new_doctor(admin)
    booked = reception.post("/v1/appointments", {"slotId": make_slots(provider)[0]["id"], "patientId": make_patient()["id"]})["id"]
    reception.call("DELETE", f"/v1/appointments/{booked}", {}, expect=200)
    token = reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]}, key=unique())["id"]
    of = lambda answer: {(n["kind"], n["subjectId"]) for n in answer["items"]}  # noqa: E731
    told = {("appointment_booked", booked), ("appointment_cancelled", booked), ("patient_arrived", token)}
    mine.eventually("/v1/notifications", lambda a: told <= of(a) and any(n["kind"] == "licence_verified" for n in a["items"]))
    assert not told & of(other.get("/v1/notifications"))


def test_nobody_begins_or_signs_a_visit_whose_licence_nobody_has_seen(newcomer, admin, doctor, make_patient):
    unseen, account, provider = newcomer
    refused = unseen.call("POST", "/v1/visits", {"patientId": make_patient()["id"]}, key=unique())
    assert refused.status == 422 and refused.code == "practitioner_unlicensed"
    client, _ = doctor
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]}, key=unique())["id"]
    assert unseen.call("POST", f"/v1/visits/{visit}/complete", {}).code == "practitioner_unlicensed"
    client.post(f"/v1/visits/{visit}/complete", expect=200)
    assert unseen.call("POST", f"/v1/visits/{visit}/addenda", {"text": "x"}).code == "practitioner_unlicensed"


def guess(services, email, address):
    """A wrong password from an address of its own: (status, seconds)."""
    began = time.perf_counter()
    status, _ = services.call("auth", "POST", "/v1/auth/login", None, {"email": email, "password": "Winter2026 Winter2026"}, {"X-Forwarded-For": address})
    return status, time.perf_counter() - began


@pytest.fixture(scope="module")
def services(env):
    return access.Services(env["POLYCLINIC_DATA"])


def test_one_password_on_many_accounts_is_in_the_clinics_audit_trail(door, stack, env, services):
    # A clinic of its own: what others mistype in this quarter of an hour does not count.
    email = f"{unique('head')}@sprayed.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Sprayed"), "--location-name", "One", "--zone", "Etc/GMT", "--currency", "INR",
          "--admin-email", email, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
    head = door.as_(email)
    for number in range(30):
        sprayed = f"{unique('sprayed')}@sprayed.example"
        head.open_account({"name": "Nisha", "email": sprayed, "roles": ["nurse"]})
        assert guess(services, sprayed, f"198.51.100.{number + 1}")[0] == 401
    head.eventually("/v1/reports/audit-logs?limit=20", lambda a: any(e["action"] == "notice_password_spraying" for e in a["items"]))
    head.eventually("/v1/notifications", lambda a: [n["kind"] for n in a["items"]] == ["password_spray_noticed"])


def test_an_unknown_address_costs_as_much_as_a_known_one(admin, services):
    email = f"{unique('timed')}@demo.example"
    admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]})
    known, unknown = [], []
    for number in range(12):  # in turns, so that a busy moment is nobody's
        known.append(guess(services, email, f"203.0.113.{number + 1}")[1])
        unknown.append(guess(services, f"{unique('nobody')}@mail.example", f"203.0.113.{number + 101}")[1])
    # Without an Argon2id it is a tenth.
    assert min(unknown) > min(known) / 2, (known, unknown)


def test_who_guesses_on_waits_longer_and_longer(admin, services):
    email = f"{unique('guessed')}@demo.example"
    admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]})
    statuses = [guess(services, email, "203.0.113.201")[0] for _ in range(8)]
    assert statuses[:5] == [401] * 5 and 429 in statuses[5:], statuses


def test_nobody_queues_for_a_practitioner_who_left(own_doctor, admin, reception, make_patient):
    _, provider = own_doctor
    reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]}, key=unique())
    admin.patch(f"/v1/users/{provider['accountId']}", {"active": False})
    for attempt in range(100):
        answer = reception.call("POST", "/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]}, key=unique())
        if answer.status != 201:
            break
    assert answer.status == 422 and answer.code == "provider_inactive"
    account = admin.get(f"/v1/users/{provider['accountId']}")
    admin.patch(f"/v1/users/{provider['accountId']}", {"active": True}, version=account.headers["etag"])
    until = datetime.datetime.now() + datetime.timedelta(seconds=20)
    while datetime.datetime.now() < until:
        answer = reception.call("POST", "/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]}, key=unique())
        if answer.status == 201:
            return
    raise Unexpected(f"the practitioner came back and is still refused: {answer}")


def test_a_deactivated_account_is_out_in_every_service_within_seconds(door, admin):
    email = f"{unique('leaver')}@demo.example"
    account = admin.open_account({"name": "Leaver", "email": email, "roles": ["admin", "doctor", "pharmacist"]}).json
    me = Clinic(door.url).as_(email)
    paths = {"auth": "/v1/auth/me", "scheduling": "/v1/providers", "queue": "/v1/queue/today", "clinical": "/v1/patients",
             "pharmacy": "/v1/inventory/medicines", "billing": "/v1/invoices", "notifications": "/v1/notifications", "reporting": "/v1/reports/stock-movements"}
    for path in paths.values():
        assert me.call("GET", path).status != 401, path
    admin.patch(f"/v1/users/{account['id']}", {"active": False})
    began = datetime.datetime.now()
    waiting = dict(paths)
    while waiting and datetime.datetime.now() - began < datetime.timedelta(seconds=5):
        waiting = {name: path for name, path in waiting.items() if me.call("GET", path).code != "token_revoked"}
    assert not waiting, f"still in after 5 s: {waiting}"


def opened(client, path, upgrade=False):
    """A connection whose answer goes on and on, and what came of it so far."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {client.host}:{client.port}", f"Authorization: Bearer {client.token}"]
    if upgrade:
        key = base64.b64encode(os.urandom(16)).decode()
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    line = socket.create_connection((client.host, client.port), timeout=20)
    line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(65536)
    head, _, rest = said.partition(b"\r\n\r\n")
    assert head.split()[1] == (b"101" if upgrade else b"200"), head
    return line, rest


def ends_within(line, said, seconds, mark):
    """Reads until `mark` was said; fails when it takes longer."""
    until = time.monotonic() + seconds
    while mark not in said:
        line.settimeout(max(0.01, until - time.monotonic()))
        try:
            more = line.recv(65536)
        except TimeoutError:
            raise AssertionError(f"still open after {seconds} s") from None
        if not more:
            assert mark in (CLOSED, OVER), "it was closed before that was said"
            return
        said += more


# The frame that closes (0x88) with status 1008, and the last chunk of an event stream.
CLOSED, OVER = b"\x88\x02\x03\xf0", b"\r\n0\r\n\r\n"


def test_what_a_deactivated_account_follows_ends_within_seconds(door, admin):
    email = f"{unique('leaver')}@demo.example"
    account = admin.open_account({"name": "Leaver", "email": email, "roles": ["nurse"]}).json
    me = Clinic(door.url).as_(email)
    notices, board = opened(me, "/v1/notifications/live", upgrade=True), opened(me, "/v1/queue/display/events")
    admin.patch(f"/v1/users/{account['id']}", {"active": False})
    ends_within(*notices, 8, CLOSED)
    ends_within(*board, 12, OVER)


def test_a_notice_is_told_at_once_however_many_came_in_the_half_minute_before(door, database):
    me = door.as_("reception")
    tenant = me.get("/v1/auth/me")["tenantId"]
    line, said = opened(me, "/v1/notifications/live", upgrade=True)
    insert = """insert into notifications.notice (tenant_id, id, kind, subject_id, role, at, event_id)
                select %s, gen_random_uuid(), %s, gen_random_uuid(), 'reception', now() - %s * interval '1 second', gen_random_uuid()
                from generate_series(1, %s)"""
    with database.transaction():
        database.execute(insert, [tenant, "crowd", 1, 2500])
        database.execute(insert, [tenant, "last_of_all", 0, 1])
        database.execute("select pg_notify('notifications_live', '')")
    ends_within(line, said, 10, b'"last_of_all"')
    line.close()
    with database.transaction():  # nobody needs them, and nobody may delete them but who owns the table
        database.execute("delete from notifications.notice where tenant_id = %s and kind in ('crowd', 'last_of_all')", [tenant])


def test_when_all_come_back_at_once_the_half_minute_before_is_read_once_not_by_each(door, admin, env, database):
    mint = access.Mint(env["POLYCLINIC_DATA"] + "/secrets/jwt_private.pem", admin.token)
    tenant = str(uuid.uuid4())  # so that nobody watches already
    crowd, pages = 100, 20
    database.execute("""insert into notifications.notice (tenant_id, id, kind, subject_id, role, at, event_id)
                        select %s, gen_random_uuid(), 'crowd', gen_random_uuid(), 'nurse', now() - interval '1 second', gen_random_uuid()
                        from generate_series(1, %s)""", [tenant, pages * 1000])
    staff = [Clinic(door.url, mint("nurse", tenant=tenant)) for _ in range(crowd)]

    def statements():
        return float(re.search(r"^polyclinic_db_statements_total (\S+)", metrics(env, "notifications"), re.M)[1])
    before = statements()
    with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
        lines = list(pool.map(lambda nurse: opened(nurse, "/v1/notifications/live", upgrade=True), staff))
    database.execute("""insert into notifications.notice (tenant_id, id, kind, subject_id, role, at, event_id)
                        values (%s, gen_random_uuid(), 'last_of_all', gen_random_uuid(), 'nurse', now(), gen_random_uuid())""", [tenant])
    database.execute("select pg_notify('notifications_live', '')")
    for line, said in lines:
        ends_within(line, said, 20, b'"last_of_all"')
        assert b'"crowd"' not in said
    # Once before the first is there, and a few looks for the word of others' notices: by each, it were 2,000.
    assert statements() - before < crowd * pages / 2
    for line, _ in lines:
        line.close()
    database.execute("delete from notifications.notice where tenant_id = %s", [tenant])


def test_what_is_followed_ends_with_the_token(door, admin, env):
    mint = access.Mint(env["POLYCLINIC_DATA"] + "/secrets/jwt_private.pem", admin.token)
    me = Clinic(door.url, mint("nurse", age=595))
    notices, board = opened(me, "/v1/notifications/live", upgrade=True), opened(me, "/v1/queue/display/events")
    ends_within(*notices, 10, CLOSED)
    ends_within(*board, 15, OVER)


def test_who_acted_for_a_patient_is_refused_everywhere_within_seconds(door, admin, reception, make_patient):
    email = f"{unique('daughter')}@demo.example"
    account = admin.open_account({"name": "Leela", "email": email, "roles": ["proxy"]}).json
    father = make_patient()
    grant = reception.post("/v1/auth/proxies", {
        "accountId": account["id"], "patientId": father["id"], "relation": "child", "proof": "identity_seen"})["id"]
    me = Clinic(door.url).as_(email)
    chart = f"/v1/patients/{father['id']}"
    assert me.call("GET", chart).status == 200
    reception.call("DELETE", f"/v1/auth/proxies/{grant}", expect=204)
    until = time.monotonic() + 5
    while (answer := me.call("GET", chart)).code != "token_revoked":
        assert time.monotonic() < until, f"still in after 5 s: {answer}"
        time.sleep(0.05)
    assert Clinic(door.url).as_(email).call("GET", chart).status in (403, 404)


def test_who_acts_for_a_child_does_so_until_a_day(door, admin, reception, make_patient, database):
    email = f"{unique('mother')}@demo.example"
    account = admin.open_account({"name": "Leela", "email": email, "roles": ["proxy"]})
    grant = {"accountId": account["id"], "patientId": make_patient()["id"], "relation": "parent", "proof": "birth_certificate"}
    assert [e["pointer"] for e in reception.call("POST", "/v1/auth/proxies", grant)["errors"]] == ["/until"]
    day = today()
    assert reception.call("POST", "/v1/auth/proxies", {**grant, "until": str(day + datetime.timedelta(days=6_580))}).status == 400
    assert reception.call("POST", "/v1/auth/proxies", {**grant, "until": str(day + datetime.timedelta(days=6_000))}).status == 201
    # The eve of a birthday is not in the table, and counts all the same: who acted until yesterday acts no more.
    first, last = day - datetime.timedelta(days=40), day + datetime.timedelta(days=6_000)
    row = database.execute("select row_to_json(g)::text from auth.proxy_grant g where account_id = %s", [account["id"]]).fetchone()[0]
    assert str(last) not in row and f"{last.year}-12-31" in row
    assert [g["until"] for g in reception.get(f"/v1/auth/proxies?patientId={grant['patientId']}")["items"]] == [str(last)]
    over, holds = (make_patient()["id"] for _ in "12")
    for patient, until in ((over, day - datetime.timedelta(days=1)), (holds, day)):
        reception.post("/v1/auth/proxies", {**grant, "patientId": patient, "from": str(first), "until": str(until)})
    me = Clinic(door.url).as_(email)
    assert me.call("GET", f"/v1/patients/{holds}").status == 200
    assert me.call("GET", f"/v1/patients/{over}").status in (403, 404)


def test_a_lost_password_is_replaced_at_the_desk(door, admin):
    email = f"{unique('nurse')}@demo.example"
    account = admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]})
    me = door.as_(email)
    given = admin.post(f"/v1/users/{account['id']}/temporary-password")
    until = time.monotonic() + 5
    while me.call("GET", "/v1/patients?search=meera").code != "token_revoked":
        assert time.monotonic() < until, "still in after 5 s"
        time.sleep(0.05)
    first = {"email": email, "password": given["temporaryPassword"]}
    assert door.call("POST", "/v1/auth/login", first).code == "password_change_required"
    door.post("/v1/auth/login", {**first, "newPassword": "quay lamp seven rivers"}, expect=200)
    assert door.call("POST", "/v1/auth/login", first).code == "invalid_credentials"
    own = admin.get("/v1/auth/me")["id"]
    assert admin.call("POST", f"/v1/users/{own}/temporary-password").code == "own_password"


def test_whose_sessions_an_administrator_ends_is_out_everywhere_within_seconds(door, admin):
    email = f"{unique('nurse')}@demo.example"
    account = admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]})
    me = door.as_(email)
    assert len(me.get("/v1/auth/sessions")["items"]) == 2  # where the password was chosen, and here
    paths = ["/v1/auth/me", "/v1/patients?search=meera", "/v1/providers", "/v1/notifications"]
    assert {me.call("GET", path).status for path in paths} == {200}
    theirs = next(s["id"] for s in admin.get("/v1/auth/sessions")["items"] if s["current"])
    assert me.call("DELETE", f"/v1/auth/sessions/{theirs}").status == 404
    admin.call("DELETE", f"/v1/users/{account['id']}/sessions", expect=204)
    for path in paths:
        until = time.monotonic() + 5
        while (answer := me.call("GET", path)).code != "token_revoked":
            assert time.monotonic() < until, f"still in after 5 s: {path} {answer}"
            time.sleep(0.05)
    assert door.as_(email).get("/v1/auth/me")["id"] == account["id"]
