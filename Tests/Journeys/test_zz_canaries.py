"""Two hundred canary values through every route: none comes out where nothing personal may be (S9).

Every route that a person can use is called by somebody whom the access matrix allows, with a body that is valid by the
OpenAPI document and a canary of its own in every field of words; then all routes once more with canaries where they do
not belong. Late by name. It writes what it looked at and what it found to `canaries.md` in the stack's data folder; the
copy in docs/security is written with CANARIES_REGENERATE=1.
"""
import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid

import pika
import pyotp
import pytest

from clinic import SEEN_LICENCE, ZONE, Clinic, today, unique

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/Policy"), str(ROOT / "Tests/Chaos")]
import access  # noqa: E402
import bodies  # noqa: E402
import checks  # noqa: E402


@pytest.fixture(scope="module")
def overheard(env):
    """Every message that passes the broker meanwhile."""
    parameters = pika.URLParameters(env["AMQP_ADMIN_URL"])
    parameters.heartbeat = 0  # it is read at the end only
    connection = pika.BlockingConnection(parameters)
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


# Words of the house and not of a person: catalogues, rooms, forms, money. They rest in clear as docs/security/data-catalogue.md
# says and travel in events; out of logs, metrics and errors they stay as well.
HOUSE = [("/v1/inventory", None), ("/v1/locations", None), ("/v1/auth/clients", None), ("/v1/providers", None), ("/v1/slots", None),
         ("/v1/invoices", None), ("/v1/patients/:id/consents", None), ("/v1/prescriptions", {"doseUnit"}), ("/v1/visits", {"code", "system"})]
# What has a form of its own, so that no canary fits into it.
FORMED = {"zone", "currency", "code", "otp", "start", "end", "expiryDate", "atc", "redirectUris", "postLogoutRedirectUris", "redirectOrigins", "scopes"}


class Teller:
    """Calls a route as somebody who may, with a body that is valid by the OpenAPI document and has a canary of its own in
    every field of words; and notes what became of it."""

    def __init__(self, door, documented, mint, accounts):
        self.door, self.documented, self.mint, self.accounts = door, documented, mint, accounts
        self.words, self.house, self.rows, self.refused = [], [], [], []

    def word(self, pattern, sent):
        def text(field, schema):
            if field in FORMED or "format" in schema or "pattern" in schema or schema.get("maxLength", 100) < 18:
                return None
            mark = RUN + uuid.uuid4().hex[:6]
            house = next((True for prefix, fields in HOUSE if pattern.startswith(prefix) and (fields is None or field in fields)), False)
            if field in ("email", "contact"):
                made = f"cnry{mark}@canary.example"
            elif field == "phone":
                made = PHONE + f"{uuid.uuid4().int % 10**4:04d}"
            else:
                made = ("Hous" if house else "Cnry") + mark
            (self.house if house else self.words).append(made)
            sent.append(made)
            if field == "content":  # a file
                return base64.urlsafe_b64encode(b"%PDF-1.4\n" + made.encode()).rstrip(b"=").decode()
            return made.ljust(schema.get("minLength", 1), "x")
        return text

    def client(self, role):
        if role is None:
            return Clinic(self.door.url)
        more = {"patient": self.accounts["record"]} if role in ("patient", "proxy") else {}
        return Clinic(self.door.url, self.mint(role, account=self.accounts.get(role), **more))

    def __call__(self, method, pattern, role, known={}, version=None, query="", client=None, **ids):
        """The answer; whatever it is, a row of the report."""
        path = pattern
        for name, value in ids.items():
            path = path.replace(f":{name}", value)
        assert ":" not in path, path
        client, sent = client or self.client(role), []
        schema = bodies.schema_of(self.documented[(method, pattern)])
        body = bodies.valid(schema, known, True, self.word(pattern, sent)) if schema else None
        headers = {"Idempotency-Key": f"k-{uuid.uuid4().hex}"}
        if version:
            headers["If-Match"] = self.client(role).get(version).headers["etag"]
        given = json.dumps(body) + urllib.parse.unquote(query)
        sent = len(set(sent) | {w for w in self.words + self.house if w in given})
        answer = client.call(method, path + query, body, headers=headers)
        said = answer.bytes.decode(errors="replace") if answer.status < 300 else ""
        self.rows.append((method, pattern, role or "-", answer.status, sent, sum(w in said for w in self.words + self.house)))
        if answer.status >= 400:
            self.refused.append((method, pattern, role, answer))
        assert answer.status < 500, (method, pattern, answer)
        return answer


# How the canaries of this run begin: what does not hold this holds none of them.
RUN = uuid.uuid4().hex[:8]
PHONE = f"+9197{uuid.uuid4().int % 10**4:04d}"
OF_PERSONS, OF_THE_HOUSE = [f"Cnry{RUN}", f"cnry{RUN}", PHONE], [f"Hous{RUN}"]
# Refused on purpose: whoever makes up a proof, a secret or a code has none.
MEANT = {("POST", f"/v1/auth/{path}") for path in (
    "login", "refresh", "logout", "contact/confirmation", "passkeys", "passkeys/sign-in", "password-reset/confirmation", "sign-up/confirmation")}
# How many routes took canaries in and answered 2xx, and how many took or showed some: fewer is a hole in this test.
FLOOR_TAKEN, FLOOR_ALL = 38, 76


@pytest.fixture(scope="module")
def told(env, stack, door, overheard):
    """A clinic of its own in which every route is called by somebody who may call it, canaries in every word."""
    secrets = env["POLYCLINIC_DATA"] + "/secrets"
    email = f"{unique('admin')}@canary-clinic.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Canary"), "--location-name", "One", "--zone", ZONE,
          "--currency", "INR", "--admin-email", email, "--admin-password-file", f"{secrets}/demo_password")
    mint = access.Mint(f"{secrets}/jwt_private.pem", door.as_(email).token)
    boss = Clinic(door.url, mint("admin"))
    accounts = {"record": access.new_id()}
    tell = Teller(door, bodies.operations(door.get("/v1/openapi.json").json), mint, accounts)
    site = mint.claims["loc"]

    # People.
    def hire(role, **more):
        return boss.open_account({"name": f"Canary {role}", "email": f"{unique(role)}@canary-clinic.example", "roles": [role],
                                  "locationId": site, **more})["id"]
    for role in ("doctor", "nurse", "reception", "pharmacist", "auditor"):
        accounts[role] = hire(role, **({"licence": SEEN_LICENCE} if role == "doctor" else {}))
    nurse = {"roles": ["nurse"], "patientId": None, "licence": None, "locationId": site}
    employed = tell("POST", "/v1/users", "admin", nurse)
    address = [w for w in tell.words if "@" in w][-1]
    user = employed["id"]
    pair = tell("POST", "/v1/auth/login", None, {"email": address, "password": employed["temporaryPassword"], "otp": None})
    password = tell.words[-1]
    me = Clinic(door.url, pair["accessToken"])
    tell("GET", "/v1/auth/me", "nurse", client=me)
    tell("POST", "/v1/auth/login", None, {"otp": None})
    tell("POST", "/v1/auth/step-up", "nurse", {"otp": None, "passkey": None, "password": password}, client=me)
    tell("POST", "/v1/auth/password", "nurse", {"currentPassword": password}, client=me)
    changed = [w for w in tell.words if "@" not in w][-1]
    pair = Clinic(door.url).post("/v1/auth/login", {"email": address, "password": changed}, expect=200)
    pair = tell("POST", "/v1/auth/refresh", None, {"refreshToken": pair["refreshToken"]})
    me = Clinic(door.url, pair["accessToken"])
    app = pyotp.parse_uri(tell("POST", "/v1/auth/factors/totp", "nurse", client=me)["uri"])
    tell("POST", "/v1/auth/factors/totp/confirmation", "nurse", {"code": app.now()}, client=me)
    tell("POST", "/v1/auth/factors/recovery-codes", "nurse", client=me)
    tell("DELETE", "/v1/auth/factors/totp", "nurse", client=me)
    tell("GET", "/v1/auth/factors", "nurse", client=me)
    tell("POST", "/v1/auth/contact", "nurse", client=me)
    tell("POST", "/v1/auth/contact/confirmation", "nurse", client=me)
    sessions = tell("GET", "/v1/auth/sessions", "nurse", client=me)["items"]
    tell("DELETE", "/v1/auth/sessions/:id", "nurse", client=me, id=next(s["id"] for s in sessions if not s["current"]))
    tell("GET", "/v1/auth/consents", "nurse", client=me)
    tell("GET", "/v1/auth/passkeys", "nurse", client=me)
    tell("POST", "/v1/auth/passkeys/registration", "nurse", client=me)
    tell("POST", "/v1/auth/passkeys", "nurse", client=me)
    tell("POST", "/v1/auth/passkeys/sign-in", None)
    tell("POST", "/v1/auth/logout", None, {"refreshToken": pair["refreshToken"]})
    tell("POST", "/v1/auth/refresh", None)
    tell("POST", "/v1/auth/password-reset", None)
    tell("POST", "/v1/auth/password-reset/confirmation", None)
    tell("POST", "/v1/auth/sign-up", None, {"tenantId": mint.claims["tid"]})
    tell("POST", "/v1/auth/sign-up/confirmation", None)
    tell("PATCH", "/v1/users/:id", "admin", {"roles": ["nurse"], "active": True, "locationId": site}, version=f"/v1/users/{user}", id=user)
    tell("GET", "/v1/users", "admin")
    tell("GET", "/v1/users/:id", "admin", id=user)
    tell("DELETE", "/v1/users/:id/factors", "admin", id=user)
    tell("POST", "/v1/users/:id/temporary-password", "admin", id=user)
    tell("DELETE", "/v1/users/:id/sessions", "admin", id=user)

    # A doctor's papers.
    newcomer = hire("doctor")
    paper = Clinic(door.url, mint("doctor", account=newcomer))
    tell("PUT", "/v1/auth/licence", "doctor", {"validUntil": "2199-12-31"}, client=paper)
    for kind in ("licence", "identity", "identity"):
        document = tell("POST", "/v1/auth/licence/documents", "doctor", {"kind": kind}, client=paper)["id"]
    tell("DELETE", "/v1/auth/licence/documents/:document", "doctor", client=paper, document=document)
    tell("POST", "/v1/auth/licence/submission", "doctor", client=paper)
    mine = tell("GET", "/v1/auth/licence", "doctor", client=paper)["documents"][0]["id"]
    tell("GET", "/v1/auth/licences", "admin")
    tell("GET", "/v1/users/:id/licence", "admin", id=newcomer)
    tell("GET", "/v1/users/:id/licence/documents/:document", "admin", id=newcomer, document=mine)
    tell("POST", "/v1/users/:id/licence/decision", "admin", {"verified": False}, id=newcomer)

    # The house.
    tell("POST", "/v1/locations", "admin", {"zone": "Etc/GMT", "currency": "INR"})
    tell("GET", "/v1/locations", "admin")
    client = tell("POST", "/v1/auth/clients", "admin", {
        "grantTypes": ["client_credentials"], "scopes": ["scheduling.read"], "roles": ["reception"], "locationId": site, "public": False,
        "redirectUris": None, "postLogoutRedirectUris": None, "pairwiseSubjects": None, "consentRequired": None})
    if client.status == 201:
        tell("GET", "/v1/auth/clients/:id", "admin", id=client["id"])
        tell("PATCH", "/v1/auth/clients/:id", "admin", {
            "grantTypes": ["client_credentials"], "scopes": ["scheduling.read"], "roles": ["reception"], "active": True, "newSecret": False,
            "redirectUris": None, "postLogoutRedirectUris": None, "consentRequired": None}, version=f"/v1/auth/clients/{client['id']}", id=client["id"])
        tell("DELETE", "/v1/auth/clients/:id", "admin", id=client["id"])
    tell("GET", "/v1/auth/clients", "admin")
    for path in ("/v1/auth/policy", "/v1/charts/policy", "/v1/retention", "/v1/tenants/settings"):
        tell("GET", path, "admin")
    tell("PUT", "/v1/auth/policy", "admin", {"staffMFA": "optional"})
    tell("PUT", "/v1/charts/policy", "admin", {"policy": "care"})
    tell("PUT", "/v1/retention", "admin", {"years": 10})
    tell("PATCH", "/v1/tenants/settings", "admin", {
        "accessTokenSeconds": 900, "staffSessionSeconds": 43_200, "patientSessionSeconds": 43_200, "grantTypes": ["client_credentials"],
        "consentRequired": True}, version="/v1/tenants/settings")

    # A patient, their account, who acts for them.
    registered = tell("POST", "/v1/patients", "reception", {"birthDate": "1971-07-17", "sex": "female"})
    record, name = registered["id"], registered["name"]
    accounts["record"] = record
    accounts["patient"] = boss.open_account({"name": "Canary Patient", "email": f"{unique('patient')}@canary-clinic.example",
                                          "roles": ["patient"], "patientId": record})["id"]
    for role in ("reception", "doctor", "patient"):
        tell("GET", "/v1/patients", role, query=f"?search={urllib.parse.quote(name)}")
        tell("POST", "/v1/patients/search", role, {"limit": 5, "cursor": None})
    helper = hire("proxy")
    grant = tell("POST", "/v1/auth/proxies", "patient", {"accountId": helper, "patientId": record, "relation": "child", "proof": "patient_consent", "from": None, "until": None})
    tell("GET", "/v1/auth/proxies", "patient")
    if grant.status == 201:
        tell("DELETE", "/v1/auth/proxies/:id", "patient", id=grant["id"])
    fresh = Clinic(door.url, mint("patient", patient=access.new_id()))
    tell("POST", "/v1/patients/self", "patient", {"birthDate": "1971-07-17", "sex": "female"}, client=fresh)
    tell("PATCH", "/v1/patients/:id", "reception", {"birthDate": "1971-07-17", "sex": "female", "active": True, "allergies": None, "conditions": None}, version=f"/v1/patients/{record}", id=record)
    consent = tell("POST", "/v1/patients/:id/consents", "patient", {"purpose": "sharing"}, id=record)["id"]
    tell("GET", "/v1/patients/:id/consents", "patient", id=record)
    tell("DELETE", "/v1/patients/:id/consents/:consent", "patient", id=record, consent=consent)

    leaver = tell("POST", "/v1/patients", "reception", {"birthDate": "1971-07-17", "sex": "male"})["id"]

    # Time.
    provider = boss.eventually("/v1/providers?limit=100", lambda a: any(p["accountId"] == accounts["doctor"] and p["licensed"] for p in a["items"]))
    provider = next(p["id"] for p in provider["items"] if p["accountId"] == accounts["doctor"])
    tell("PATCH", "/v1/providers/:id", "doctor", {"bookingMode": "direct"}, version=f"/v1/providers/{provider}", id=provider)
    tell("PUT", "/v1/providers/:id/presence", "doctor", {"status": "online", "until": None}, id=provider)
    for path in ("/v1/providers", "/v1/slots", "/v1/appointments"):
        tell("GET", path, "doctor")
    tell("GET", "/v1/providers/:id", "patient", id=provider)
    day = str(today())
    tell("POST", "/v1/slots/bulk", "doctor", {"providerId": provider, "locationId": site, "from": day, "to": day, "start": "12:00", "end": "17:00",
                                              "slotMinutes": 30, "weekdays": [1, 2, 3, 4, 5, 6, 7]})
    slots = [s["id"] for s in boss.get(f"/v1/slots?providerId={provider}&date={day}&status=free")["items"]]
    tell("GET", "/v1/slots/:id", "patient", id=slots[0])
    tell("PATCH", "/v1/slots/:id", "doctor", {"status": "blocked"}, version=f"/v1/slots/{slots[-1]}", id=slots[-1])
    booked = tell("POST", "/v1/appointments", "reception", {"slotId": slots[0], "patientId": record, "modality": "in_person"})["id"]
    second = tell("POST", "/v1/appointments", "patient", {"slotId": slots[1], "patientId": record, "modality": "in_person"})["id"]
    tell("GET", "/v1/appointments/:id", "doctor", id=booked)
    tell("PATCH", "/v1/appointments/:id", "patient", {"slotId": slots[2]}, version=f"/v1/appointments/{second}", id=second)
    tell("DELETE", "/v1/appointments/:id", "patient", version=f"/v1/appointments/{second}", id=second)
    tell("GET", "/v1/appointments", "patient")
    boss.patch(f"/v1/providers/{provider}", {"bookingMode": "request"})
    asked = tell("POST", "/v1/appointments", "patient", {"slotId": slots[3], "patientId": record, "modality": "in_person"})["id"]
    tell("POST", "/v1/appointments/:id/decision", "doctor", {"accepted": False}, id=asked)

    # The line, and the visit.
    arrived = tell("POST", "/v1/queue/check-in", "reception", {"appointmentId": booked})
    tell("POST", "/v1/queue/walk-in", "reception", {"patientId": leaver, "providerId": provider})
    called = tell("POST", "/v1/queue/next", "doctor", {"providerId": None})
    for path in ("/v1/queue/today", "/v1/queue/today/summary", "/v1/queue/summary", "/v1/queue/display"):
        tell("GET", path, "doctor")
    token = (called if called.status == 200 else arrived)["id"]
    tell("GET", "/v1/queue/tokens/:id", "doctor", id=token)
    visit = tell("POST", "/v1/visits", "doctor", {"patientId": record, "tokenId": token, "appointmentId": None})["id"]
    vitals = {"systolic": 120, "diastolic": 80, "temperatureC": 37, "pulse": 70, "respiratoryRate": 16, "spo2": 98, "weightKg": 70, "heightCm": 170}
    tell("PATCH", "/v1/visits/:id", "doctor", {"vitals": vitals}, version=f"/v1/visits/{visit}", id=visit)
    tell("POST", "/v1/visits/:id/notes", "doctor", id=visit)
    tell("PATCH", "/v1/patients/:id/health", "doctor", {"retire": None}, version=f"/v1/patients/{record}", id=record)
    medicine = tell("POST", "/v1/inventory/medicines", "pharmacist", {"active": True, "form": "tablet"})["id"]
    tell("PATCH", "/v1/inventory/medicines/:id", "pharmacist", {"active": True, "form": "tablet"}, version=f"/v1/inventory/medicines/{medicine}", id=medicine)
    batch = tell("POST", "/v1/inventory/batches", "pharmacist", {"medicineId": medicine, "quantity": 100})["id"]
    tell("PATCH", "/v1/inventory/batches/:id", "pharmacist", {"delta": 1}, version=f"/v1/inventory/batches/{batch}", id=batch)
    tell("PUT", "/v1/inventory/batches/:id/quarantine", "pharmacist", {"quarantined": True}, version=f"/v1/inventory/batches/{batch}", id=batch)
    tell("PUT", "/v1/inventory/batches/:id/quarantine", "pharmacist", {"quarantined": False}, version=f"/v1/inventory/batches/{batch}", id=batch)
    for path in ("batches", "medicines", "expiring", "low-stock", "movements"):
        tell("GET", f"/v1/inventory/{path}", "pharmacist")
    tell("GET", "/v1/inventory/batches/:id", "pharmacist", id=batch)
    tell("GET", "/v1/inventory/medicines/:id", "doctor", id=medicine)
    until = time.monotonic() + 20
    while (written := tell("POST", "/v1/prescriptions", "doctor", {"visitId": visit, "medicineId": medicine, "doseUnit": None})).status != 201:
        assert time.monotonic() < until, written
        tell.rows.pop(), tell.refused.pop()
        time.sleep(0.1)
    prescription = written["id"]
    for role in ("doctor", "patient", "pharmacist"):
        tell("GET", "/v1/prescriptions/:id", role, id=prescription)
    tell("GET", "/v1/prescriptions/:id/print", "patient", id=prescription)
    tell("POST", "/v1/visits/:id/complete", "doctor", id=visit)
    boss.eventually(f"/v1/appointments/{booked}", lambda a: a["status"] == "fulfilled")
    tell("POST", "/v1/appointments/:id/rating", "patient", {"score": 4}, id=booked)
    tell("GET", "/v1/providers/:id/ratings", "admin", id=provider)
    tell("POST", "/v1/visits/:id/addenda", "doctor", id=visit)
    for role in ("doctor", "patient"):
        tell("GET", "/v1/patients/:id", role, id=record)
        tell("GET", "/v1/patients/:id/visits", role, id=record)
        tell("GET", "/v1/patients/:id/versions", role, id=record)
        tell("GET", "/v1/visits/:id", role, id=visit)
        tell("GET", "/v1/visits/:id/versions", role, id=visit)
        tell("GET", "/v1/visits/:id/notes", role, id=visit)
        tell("GET", "/v1/visits/:id/addenda", role, id=visit)
    tell("PATCH", "/v1/queue/:id", "doctor", {"status": "COMPLETED"}, version=f"/v1/queue/tokens/{token}", id=token)

    # Money and goods: paid first, given then.
    until = time.monotonic() + 20
    while (due := tell("POST", "/v1/invoices", "reception", {"visitId": visit, "mode": "AUTO", "discount": None, "lines": None})).status != 201:
        assert time.monotonic() < until, due
        tell.rows.pop(), tell.refused.pop()
        time.sleep(0.1)
    tell("POST", "/v1/invoices/:id/pay", "reception", {"method": "CASH", "amount": None}, id=due["id"])
    until = time.monotonic() + 20
    while (given := tell("POST", "/v1/dispensing", "pharmacist", {"prescriptionId": prescription, "items": None})).status != 201:
        assert time.monotonic() < until, given
        tell.rows.pop(), tell.refused.pop()
        time.sleep(0.1)
    tell("GET", "/v1/dispensing/:id", "pharmacist", id=given["id"])
    bill = tell("POST", "/v1/invoices", "reception", {"visitId": visit, "mode": "MANUAL", "discount": None})
    invoice = bill["id"]
    tell("PATCH", "/v1/invoices/:id", "reception", {"discount": None}, version=f"/v1/invoices/{invoice}", id=invoice)
    tell("POST", "/v1/invoices/:id/issue", "reception", id=invoice)
    tell("POST", "/v1/invoices/:id/pay", "reception", {"method": "CASH", "amount": None}, id=invoice)
    tell("POST", "/v1/invoices/:id/refunds", "reception", {"method": "CASH", "amount": {"amount": 1, "currency": "INR"}}, id=invoice)
    wrong = tell("POST", "/v1/invoices", "reception", {"visitId": visit, "mode": "MANUAL", "discount": None})["id"]
    tell("POST", "/v1/invoices/:id/cancel", "reception", id=wrong)
    for role in ("reception", "patient"):
        tell("GET", "/v1/invoices/:id", role, id=invoice)
        tell("GET", "/v1/invoices", role)

    # Who looks after the charts.
    stranger = Clinic(door.url, mint("doctor"))
    glass = tell("POST", "/v1/patients/:id/break-glass", "doctor", {"minutes": 5}, client=stranger, id=record)["id"]
    tell("GET", "/v1/break-glass", "auditor")
    tell("POST", "/v1/break-glass/:id/review", "auditor", {"outcome": "justified"}, id=glass)
    tell("POST", "/v1/patients/:id/referrals", "doctor", {"accountId": newcomer}, id=record)
    tell("PUT", "/v1/patients/:id/restriction", "doctor", {"restricted": True, "reason": None}, id=record)
    tell("PUT", "/v1/patients/:id/restriction", "admin", {"restricted": False}, id=record)
    asked = tell("POST", "/v1/patients/:id/requests", "patient", {"kind": "correction"}, id=record)["id"]
    tell("GET", "/v1/privacy-requests", "admin")
    tell("POST", "/v1/privacy-requests/:id/answer", "admin", {"outcome": "refused"}, id=asked)
    tell("GET", "/v1/patients/:id/requests", "patient", id=record)
    tell("PUT", "/v1/patients/:id/legal-hold", "admin", id=record)
    tell("DELETE", "/v1/patients/:id/legal-hold", "admin", id=record)
    tell("GET", "/v1/patients/:id/export", "patient", id=record)
    tell("GET", "/v1/patients/:id/access-log", "patient", id=record)
    tell("GET", "/v1/reports/audit-logs", "auditor")
    tell("GET", "/v1/reports/daily-summary", "auditor", query=f"?date={day}")
    tell("GET", "/v1/reports/stock-movements", "pharmacist")
    tell("GET", "/v1/reports/visit-history", "doctor")
    notices = boss.eventually("/v1/notifications", lambda a: True)["items"]
    tell("GET", "/v1/notifications", "admin")
    if notices:
        tell("POST", "/v1/notifications/:id/read", "admin", id=notices[0]["id"])
    tell("POST", "/v1/patients/:id/erasure", "admin", {"ground": "registered_in_error"}, id=leaver)
    tell("DELETE", "/v1/patients/:id", "reception", id=record)

    # And in vain: everywhere a canary may be put by somebody who knows no better, so that its refusal is read.
    for (method, pattern), operation in sorted(tell.documented.items()):
        if pattern.endswith(("/live", "/events")) or pattern.startswith("/oauth2"):
            continue
        mark = [f"Cnry{RUN}{uuid.uuid4().hex[:6]}" for _ in range(4)]
        tell.words += mark
        path = re.sub(r":[a-z]+", mark[0], pattern) + f"?search={mark[1]}&cursor={mark[2]}&{mark[3]}=1"
        answer = tell.client("admin").call(method, path, None if method == "GET" else {"unknownField": mark[0], "name": [mark[1], mark[2]], "id": {"id": mark[3]}},
                                           headers={"X-Canary": mark[0], "Idempotency-Key": mark[1], "User-Agent": mark[2], "traceparent": mark[3]})
        assert answer.status < 500, (method, path, answer)
        if answer.status >= 400:
            tell.refused.append((method, pattern, "admin", answer))
    return tell


def forms(start):
    """How it may be hidden: as it is, in another case, escaped, in base64 at any offset, in hexadecimal."""
    text = start.encode()
    encoded = {base64.b64encode(b"x" * shift + text)[(0, 2, 3)[shift]:(shift + len(text)) // 3 * 4] for shift in (0, 1, 2)}
    return {text, text.lower(), text.upper(), urllib.parse.quote(start).encode(), text.hex().encode(), text.hex().upper().encode()} | encoded | {
        e.translate(bytes.maketrans(b"+/", b"-_")) for e in encoded}


def found(starts, data):
    """In which forms canaries of this run stand in these bytes, with what stands around the first."""
    return [data[max(0, at - 40):at + 60] for start in starts for form in forms(start) if (at := data.find(form)) >= 0]


def test_the_search_finds_what_is_hidden():
    for start in OF_PERSONS + OF_THE_HOUSE:
        word = (start + "12ab").encode()
        for hidden in (word, word.lower(), word.hex().encode(), base64.b64encode(b"{" + word + b"}"), base64.urlsafe_b64encode(b'{"' + word), base64.b64encode(word)):
            assert found([start], b"around " + hidden + b" it"), (start, hidden)


def kept_in_redis(env):
    """Every key with its value, as Redis tells it: a dump would be compressed."""
    port = env["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]

    def ask(*words):
        return subprocess.run(["redis-cli", "-p", port, "-a", env["TEST_REDIS_PASSWORD"], "--no-auth-warning", *words], capture_output=True, check=True).stdout
    read = {b"string": ["get"], b"hash": ["hgetall"], b"set": ["smembers"], b"list": ["lrange", "0", "-1"], b"zset": ["zrange", "0", "-1"], b"stream": ["xrange", "-", "+"]}
    kept = []
    for key in ask("keys", "*").decode().split():
        verb, *range_ = read[ask("type", key).strip()]
        kept.append(key.encode() + b" " + ask(verb, key, *range_))
    return b"\n".join(kept)


def test_no_canary_comes_out_anywhere(told, overheard, env, database):
    assert not (left := checks.settle(database, env["AMQP_ADMIN_URL"], 30)), left
    looked = {}  # of the persons' words; those of the house may be in what the house reads
    folder = pathlib.Path(env["POLYCLINIC_DATA"])
    for log in sorted(f for f in folder.joinpath("log").rglob("*") if f.is_file()):
        looked[f"log {re.sub(r'[0-9]+@', '@', log.name)}"] = log.read_bytes()
    for log in sorted(folder.joinpath("nginx").rglob("*.log")):
        looked[f"nginx {log.name}"] = log.read_bytes()
    base = int(env["POLYCLINIC_URL"].rsplit(":", 1)[1])
    for offset in range(11, 20):
        looked[f"metrics of port +{offset}"] = urllib.request.urlopen(f"http://127.0.0.1:{base + offset}/metrics", timeout=5).read()
    looked["statements Postgres remembers"] = b"\n".join(q.encode() for (q,) in database.execute("select query from public.pg_stat_statements"))
    looked["files of the processes' arguments and environment"] = b"".join(
        pathlib.Path(f"/proc/{p.read_text().strip()}/{part}").read_bytes() for p in folder.joinpath("run").glob("*.pid") for part in ("cmdline", "environ")
        if pathlib.Path(f"/proc/{p.read_text().strip()}/{part}").exists())
    looked["error bodies and headers"] = b"\n".join(a.bytes + json.dumps(a.headers).encode() for _, _, _, a in told.refused)
    nobodys = set(looked)
    columns = in_clear(database)
    looked["Redis keys and values"] = kept_in_redis(env)
    messages = overheard()
    assert len(messages) > 50, "the broker was not heard"
    looked["RabbitMQ: messages, by a queue bound to #"] = b"\n".join(messages)
    looked["RabbitMQ: files"] = b"".join(f.read_bytes() for f in folder.joinpath("rabbitmq").rglob("*") if f.is_file() and f.stat().st_size < 50_000_000)
    for service in ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting"):
        looked[f"outbox of {service}"] = b"\n".join(d.encode() for (d,) in database.execute(f"select data::text from {service}.outbox"))
    looked["audit trail"] = b"\n".join(str(r).encode() for r in database.execute("select before, after, resource, resource_id, action from reporting.audit_entry"))

    echoed = [(m, p, a) for m, p, _, a in told.refused if found(OF_PERSONS + OF_THE_HOUSE, a.bytes + json.dumps(a.headers).encode())]
    assert not echoed, echoed[:4]
    hits = {place: found(OF_PERSONS + (OF_THE_HOUSE if place in nobodys else []), data) for place, data in looked.items()}
    routes = {}
    for method, pattern, role, status, sent, shown in told.rows:
        if status < 300 and sent + shown:
            routes.setdefault((method, pattern), []).append((role, status, sent, shown))
    taken = [route for route, rows in routes.items() if any(sent for _, _, sent, _ in rows)]
    lines = ["# Canaries", "",
             "Values that stand nowhere else, through every route, and where they came out (S9): `Tests/Journeys/test_zz_canaries.py`",
             "writes this page; `CANARIES_REGENERATE=1 Tests/run journeys -k canary` renews the copy in docs/security.", "",
             f"{len(told.words)} words of persons and {len(told.house)} of the house. {len(taken)} routes took canaries in and answered 2xx, "
             f"{len(routes)} took or showed some; {len(told.refused)} refusals were read.", "",
             "| Place searched | Looked for | Hits |", "|---|---|---|"]
    lines += [f"| {place} | {'all' if place in nobodys else 'of persons'} | {len(hits[place])} |" for place in looked]
    lines += [f"| every column of every table | of persons | {len(columns)} |", "",
              "| Route | Role | Status | Canaries sent | Canaries shown to them |", "|---|---|---|---|---|"]
    lines += [f"| `{method} {pattern}` | {role} | {status} | {sent} | {shown} |"
              for (method, pattern), rows in sorted(routes.items(), key=lambda r: (r[0][1], r[0][0])) for role, status, sent, shown in rows]
    said = "\n".join(lines) + "\n"
    (folder / "canaries.md").write_text(said)
    print(said)
    if os.environ.get("CANARIES_REGENERATE"):
        (ROOT / "docs/security/canaries.md").write_text(said)
    assert not {place: hits[place][:3] for place in hits if hits[place]}
    assert len(told.words) >= 200 and len(told.refused) > 100
    assert len(taken) >= FLOOR_TAKEN and len(routes) >= FLOOR_ALL, (len(taken), len(routes))
    shown_to = {role for rows in routes.values() for role, *_ in rows}
    assert shown_to >= {"doctor", "patient", "nurse", "reception", "pharmacist", "admin", "auditor"}, shown_to


def test_what_a_canary_was_sent_to_was_handled(told):
    """The calls whose refusal is meant, and no other: whatever else is refused, a canary has not gone through."""
    refused = {(method, pattern) for method, pattern, _, status, _, _ in told.rows if status >= 400}
    assert refused <= MEANT, refused - MEANT
    taken = {(method, pattern) for method, pattern, _, status, sent, _ in told.rows if status < 300 and sent}
    for (method, pattern), operation in told.documented.items():
        words, schema = [], bodies.schema_of(operation)
        if method != "GET" and schema and (method, pattern) not in taken | MEANT:
            bodies.valid(schema, {}, True, told.word(pattern, words))
            assert not words, f"{method} {pattern} takes words, and no canary went through it"


def test_no_canary_rests_in_clear_in_any_column(told, database):
    assert in_clear(database) == []


def in_clear(database):
    """The columns in which a person's canary can be read."""
    patterns = [f"%{form.decode()}%" for start in OF_PERSONS for form in forms(start)]
    columns = database.execute("""
        select c.table_schema, c.table_name, c.column_name from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where t.table_type = 'BASE TABLE' and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')
          and c.table_schema in ('auth', 'scheduling', 'queue', 'clinical', 'pharmacy', 'billing', 'notifications', 'reporting')""").fetchall()
    return [(s, t, c) for s, t, c in columns
            if database.execute(f'select exists (select from "{s}"."{t}" where "{c}"::text like any(%s))', [patterns]).fetchone()[0]]
