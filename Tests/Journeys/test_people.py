"""Doctors whose papers nobody has seen, practitioners who left, and accounts that must be out everywhere at once."""
import base64
import datetime

import pytest

from clinic import PASSWORD, Clinic, Unexpected, today, unique

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
    account = admin.post("/v1/users", {"name": "Dr. New", "email": email, "roles": ["doctor"], "password": PASSWORD}).json
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


def test_new_particulars_ask_for_a_new_look(newcomer, admin):
    doctor, account, provider = newcomer
    hand_in(doctor, today() + datetime.timedelta(days=900))
    admin.post(f"/v1/users/{account['id']}/licence/decision", {"verified": True}, expect=200)
    provider_of(admin, account, lambda p: p["licensed"])
    doctor.call("PUT", "/v1/auth/licence", {"number": "MCI-4712", "authority": "State Medical Council", "validUntil": str(today() + datetime.timedelta(days=999))}, expect=200)
    provider_of(admin, account, lambda p: not p["licensed"])


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
    account = admin.post("/v1/users", {"name": "Leaver", "email": email, "roles": ["admin", "doctor", "pharmacist"], "password": PASSWORD}).json
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
