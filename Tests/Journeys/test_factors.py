"""Second factors, codes by e-mail and phone, and what hammering at an account does not do. pyotp is the oracle."""
import os
import random
import sys

import pyotp
import pytest

from clinic import PASSWORD, ROOT, Clinic, unique

sys.path.insert(0, os.path.join(ROOT, "deploy/local"))
from letterbox import Letterbox  # noqa: E402


def hire(admin, role="nurse"):
    email = f"{unique(role)}@demo.example"
    account = admin.open_account({"name": "Nisha", "email": email, "roles": [role]}).json
    return email, account


def login(door, email, password=PASSWORD, **more):
    return Clinic(door.url).call("POST", "/v1/auth/login", {"email": email, "password": password, **more})


@pytest.fixture(scope="module")
def letters(env):
    box = Letterbox(int(env["POLYCLINIC_LETTERBOX_PORT"]))
    yield box
    box.close()


def test_an_authenticator_app_is_enrolled_asked_for_and_its_code_taken_once(door, admin, at_once):
    email, _ = hire(admin)
    me = Clinic(door.url).as_(email)
    begun = me.post("/v1/auth/factors/totp")
    app = pyotp.parse_uri(begun["uri"])
    assert app.secret == begun["secret"] and app.issuer == "Polyclinic" and (app.digits, app.interval) == (6, 30)
    # The code of the step before is good, too, and leaves the present one for signing in.
    step = app.timecode(__import__("datetime").datetime.now())
    confirmed = me.post("/v1/auth/factors/totp/confirmation", {"code": app.generate_otp(step - 1)})
    assert len(set(confirmed["recoveryCodes"])) == 10

    assert login(door, email).code == "otp_required"
    assert login(door, email, otp=app.generate_otp(step - 9)).code == "otp_wrong"
    answers = at_once([lambda: me.call("POST", "/v1/auth/step-up", {"otp": app.now()}) for _ in range(8)])
    assert sorted(a.status for a in answers)[0] == 200 and sum(a.status == 200 for a in answers) == 1, answers
    code = confirmed["recoveryCodes"][0]
    answers = at_once([lambda: login(door, email, otp=code) for _ in range(4)])
    assert sum(a.status == 200 for a in answers) == 1, answers


def test_a_patient_signs_up_by_email_and_opens_a_record(door, admin, letters):
    tenant = admin.get("/v1/auth/me")["tenantId"]
    email = f"{unique('meera')}@mail.example"
    asked = door.post("/v1/auth/sign-up", {"tenantId": tenant, "contact": email, "name": "Meera Iyer", "password": "quay lamp seven rivers"}, expect=202)
    message = letters.wait(email)
    assert message["template"] == "sign_up_code" and message["channel"] == "email" and len(message["code"]) == 6

    wrong = f"{(int(message['code']) + 1) % 1_000_000:06}"
    assert door.call("POST", "/v1/auth/sign-up/confirmation", {"id": asked["id"], "code": wrong}).code == "code_wrong"
    signed = door.post("/v1/auth/sign-up/confirmation", {"id": asked["id"], "code": message["code"]})
    assert signed["user"]["roles"] == ["patient"]
    again = door.call("POST", "/v1/auth/sign-up/confirmation", {"id": asked["id"], "code": message["code"]})
    assert again.code == "code_wrong"

    me = Clinic(door.url, signed["accessToken"])
    record = me.post("/v1/patients/self", {"name": "Meera Iyer", "birthDate": "1988-04-12", "phone": "+919820012345", "email": email})
    assert me.get(f"/v1/patients/{record['id']}")["mrn"] == record["mrn"]
    assert me.call("POST", "/v1/patients/self", {"name": "M", "birthDate": "1988-04-12", "phone": "+919820012345"}).code == "already_registered"

    # Asking again with a taken address gets the same answer; its owner is told.
    letters.messages.clear()
    same = door.post("/v1/auth/sign-up", {"tenantId": tenant, "contact": email, "name": "X", "password": "quay lamp seven rivers"}, expect=202)
    assert set(same.json) == set(asked.json)
    assert letters.wait(email)["template"] == "account_exists"


def test_a_phone_number_will_do(door, admin, letters):
    tenant = admin.get("/v1/auth/me")["tenantId"]
    phone = f"+9198{random.randrange(10**8):08}"
    letters.failing = 1  # the gateway is away for a moment; the message leaves all the same
    asked = door.post("/v1/auth/sign-up", {"tenantId": tenant, "contact": f"{phone[:3]} {phone[3:]}", "name": "Arjun", "password": "quay lamp seven rivers"}, expect=202)
    message = letters.wait(phone)
    assert message["channel"] == "sms"
    door.post("/v1/auth/sign-up/confirmation", {"id": asked["id"], "code": message["code"]})
    assert login(door, phone, "quay lamp seven rivers").status == 200


def test_a_code_may_be_guessed_at_five_times(door, admin, letters):
    email, _ = hire(admin)
    asked = door.post("/v1/auth/password-reset", {"contact": email}, expect=202)
    code = letters.wait(email)["code"]
    for number in range(1, 6):
        guess = f"{(int(code) + number) % 1_000_000:06}"
        assert door.call("POST", "/v1/auth/password-reset/confirmation", {"id": asked["id"], "code": guess, "newPassword": "a new pass phrase"}).code == "code_wrong"
    right = {"id": asked["id"], "code": code, "newPassword": "a new pass phrase"}
    assert door.call("POST", "/v1/auth/password-reset/confirmation", right).code == "code_wrong"
    assert login(door, email).status == 200


def test_a_forgotten_password_is_chosen_anew_and_ends_all_sessions(door, admin, letters):
    email, _ = hire(admin)
    before = login(door, email)
    asked = door.post("/v1/auth/password-reset", {"contact": email}, expect=202)
    code = letters.wait(email)["code"]
    door.post("/v1/auth/password-reset/confirmation", {"id": asked["id"], "code": code, "newPassword": "a new pass phrase"}, expect=204)
    assert login(door, email).status == 401
    assert login(door, email, "a new pass phrase").status == 200
    assert door.call("POST", "/v1/auth/refresh", {"refreshToken": before["refreshToken"]}).status == 401


def test_asking_for_a_reset_says_nothing_about_who_is_there(door, admin, letters):
    email, _ = hire(admin)
    stranger = f"{unique('nobody')}@mail.example"
    known, unknown = (door.call("POST", "/v1/auth/password-reset", {"contact": c}) for c in (email, stranger))
    assert known.status == unknown.status == 202 and set(known.json) == set(unknown.json)
    letters.wait(email)
    assert not [m for m in letters.messages if m["to"] == stranger]


def test_an_address_gets_five_messages_a_quarter_hour(door, admin):
    email, _ = hire(admin)
    answers = [door.call("POST", "/v1/auth/password-reset", {"contact": email}).status for _ in range(6)]
    assert answers == [202] * 5 + [429]


def test_codes_and_secrets_rest_unreadable(door, admin, letters, database):
    email, _ = hire(admin)
    asked = door.post("/v1/auth/password-reset", {"contact": email}, expect=202)
    code = letters.wait(email)["code"]
    row = database.execute("select row_to_json(c)::text, sealed from auth.contact_request c where id = %s", (asked["id"],)).fetchone()
    assert email not in row[0] and code not in row[0] and email.encode() not in row[1]


def test_people_change_their_address_with_the_code_that_went_to_it(door, admin, letters):
    email, _ = hire(admin)
    other, taken = f"{unique('nisha')}@demo.example", hire(admin)[0]
    me, stranger = Clinic(door.url).as_(email), Clinic(door.url).as_(taken)
    asked = me.post("/v1/auth/contact", {"contact": other}, expect=202)
    message = letters.wait(other)
    assert message["template"] == "change_code"
    answer = {"id": asked["id"], "code": message["code"]}
    assert stranger.call("POST", "/v1/auth/contact/confirmation", answer).code == "code_wrong"
    me.post("/v1/auth/contact/confirmation", answer, expect=204)
    assert me.get("/v1/auth/me")["email"] == other
    assert login(door, email).status == 401 and login(door, other).status == 200
    assert letters.wait(email, "security_changed")["changed"] in ("contact", "password")
    # Somebody else's address gets no code; its owner is told as of a signing-up.
    me.post("/v1/auth/contact", {"contact": taken}, expect=202)
    assert letters.wait(taken)["template"] == "account_exists"


def test_the_owner_is_told_of_what_opens_the_account(door, admin, letters):
    email, account = hire(admin)
    letters.wait(email, "security_changed")
    for change, what in (
        (lambda: admin.post(f"/v1/users/{account['id']}/temporary-password"), "password"),
        (lambda: admin.call("DELETE", f"/v1/users/{account['id']}/factors", expect=204), "factor"),
        (lambda: admin.patch(f"/v1/users/{account['id']}", {"contact": f"{unique('nisha')}@demo.example"}), "contact"),
    ):
        letters.messages.clear()
        change()
        message = letters.wait(email, "security_changed")
        assert {k: v for k, v in message.items() if k != "key"} == {"channel": "email", "to": email, "template": "security_changed", "changed": what}
