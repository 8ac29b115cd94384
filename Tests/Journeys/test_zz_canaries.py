"""Two hundred canary values through every route: none comes out where nothing personal may be (S9).

Every route that a person can use is called by somebody whom the access matrix allows, with a body that is valid by the
OpenAPI document and a canary of its own in every field of words; a browser walks through the identity provider's pages for
an application, the two streams are listened to meanwhile, and then all routes are called once more with canaries where they
do not belong. Each write that was done must have left an audit entry (S15). Late by name. It writes what it looked at and what it found to `canaries.md` in the stack's data folder; the
copy in docs/security is written with CANARIES_REGENERATE=1.
"""
import base64
import hashlib
import html
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid

import pika
import pyotp
import pytest

from clinic import SEEN_LICENCE, ZONE, Answer, Clinic, today, unique

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
        self.done = {}  # writes that were answered 2xx or 3xx, by trace
        self.fields = {}  # which fields of which form of /oauth2 a canary was sent in, and how that was answered
        self.heard = {}  # what a stream said, and to whom

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

    def canary(self, start="Cnry"):
        (self.words if start == "Cnry" else self.house).append(start + RUN + uuid.uuid4().hex[:6])
        return (self.words if start == "Cnry" else self.house)[-1]

    def note(self, method, pattern, role, answer, sent, said, trace):
        """A row of the report; a write that was done; a refusal to be read."""
        self.rows.append((method, pattern, role or "-", answer.status, sent, sum(w in said for w in self.words + self.house)))
        if answer.status < 400 and method != "GET" and pattern != "/v1/patients/search":
            self.done[trace] = (self.documented[(method, pattern)]["tags"][0], method, pattern)
        if answer.status >= 400:
            self.refused.append((method, pattern, role, answer))
        assert answer.status < 500, (method, pattern, answer)

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
        trace = uuid.uuid4().hex
        headers = {"Idempotency-Key": f"k-{uuid.uuid4().hex}", **access.traced(trace)}
        if version:
            headers["If-Match"] = self.client(role).get(version).headers["etag"]
        given = json.dumps(body) + urllib.parse.unquote(query)
        sent = len(set(sent) | {w for w in self.words + self.house if w in given})
        answer = client.call(method, path + query, body, headers=headers)
        self.note(method, pattern, role, answer, sent, answer.bytes.decode(errors="replace") if answer.status < 300 else "", trace)
        return answer


class Visitor:
    """A browser without scripts at the pages of /oauth2: keeps cookies, follows nothing by itself."""

    def __init__(self, tell):
        self.tell, self.cookies = tell, {}

    def __call__(self, method, pattern, expect, repeats=False, idle=False, headers={}, **fields):
        """One link or form; what is refused on purpose says so by `expect`. The page, and the address it leads to.
        A refusal that `repeats` is the form again, with what its reader typed or is to type; an `idle` form changes nothing that a
        trail would tell of: a session goes on, an unknown token is given back."""
        trace = uuid.uuid4().hex
        sent = {**access.traced(trace), **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = urllib.parse.urlencode(fields)
        path, body = (pattern + (f"?{body}" if body else ""), None) if method == "GET" else (pattern, body)
        if method != "GET":
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection(self.tell.door.host, self.tell.door.port, timeout=20)
        line.request(method, path, body, sent)
        got = line.getresponse()
        heads, text = got.getheaders(), got.read()
        line.close()
        for name, value in heads:
            if name.lower() == "set-cookie":
                name, value = value.split(";")[0].split("=", 1)
                self.cookies[name] = value
        answer = Answer(got.status, {k.lower(): v for k, v in heads}, text, 0)
        assert got.status == expect, (method, pattern, fields, answer)
        known, taken = self.tell.words + self.tell.house, self.tell.fields.setdefault((method, pattern), {})
        carried = [name for name, value in fields.items() if any(word in value for word in known)]
        for name in carried:
            taken[name] = min(expect, taken.get(name, expect))
        if expect < 400:
            said = text.decode(errors="replace") + urllib.parse.unquote(str(heads))
            self.tell.note(method, pattern, "browser", answer, len(carried), said, trace)
            if idle:
                del self.tell.done[trace]
        elif not repeats:
            self.tell.refused.append((method, pattern, "browser", answer))
        return text.decode(), answer.headers.get("location", "")

    def page(self, place, expect=200):
        """The page at this address, and the hidden fields of its form."""
        path, _, query = place.partition("?")
        text, _ = self("GET", path, expect, **dict(urllib.parse.parse_qsl(query)))
        return text, {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(attempt|token)" value="([^"]*)"', text)}


BACK, VERIFIER = "https://canary.example/back", "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def by_browser(tell, boss, site):
    """Somebody new signs in for an application: a password of their own, an app for a second factor, consent, tokens, out again.
    Between the steps a canary stands where each proof belongs."""
    client = boss.post("/v1/auth/clients", {
        "name": "Application", "grantTypes": ["authorization_code", "refresh_token"], "redirectUris": [BACK], "postLogoutRedirectUris": [BACK],
        "scopes": ["openid", "profile", "email", "scheduling.read"], "consentRequired": True}).json
    own = {"client_id": client["clientId"], "client_secret": client["clientSecret"]}
    hired = tell("POST", "/v1/users", "admin", {"roles": ["nurse"], "patientId": None, "licence": None, "locationId": site})
    email, chosen = [w for w in tell.words if "@" in w][-1], tell.canary()
    visit = Visitor(tell)

    def begin(**more):
        wish = {"response_type": "code", "client_id": client["clientId"], "redirect_uri": BACK, "scope": "openid profile email scheduling.read",
                "code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": tell.canary("Hous"), "nonce": tell.canary("Hous"),
                "login_hint": f"cnry{RUN}{uuid.uuid4().hex[:6]}@canary.example", **more}
        tell.words.append(wish["login_hint"])
        return visit("GET", "/oauth2/authorize", 303, **wish)[1]

    # In vain first: each field of a link that is good but for it, and each form without its proof.
    for field in ("response_type", "scope", "code_challenge", "code_challenge_method", "prompt", "max_age", "resource", "request", "response_mode"):
        begin(**{field: tell.canary()})
    for field in ("client_id", "redirect_uri"):
        visit("GET", "/oauth2/authorize", 400, **{"client_id": client["clientId"], "redirect_uri": BACK, field: tell.canary()})
    wish = {"response_type": "code", "client_id": client["clientId"], "redirect_uri": BACK, "scope": "openid scheduling.read",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    visit("POST", "/oauth2/authorize", 303, **wish, state=tell.canary("Hous"), nonce=tell.canary("Hous"), login_hint=tell.canary())

    # A password of their own, then the app that the clinic asks for.
    boss.call("PUT", "/v1/auth/policy", {"staffMFA": "required"}, expect=200)
    _, hidden = visit.page(begin())
    visit("POST", "/oauth2/sign-in", 422, **hidden, email=tell.canary() + "@canary.example", password=tell.canary())
    visit("POST", "/oauth2/sign-in", 422, repeats=True, **hidden, email=email, password=hired["temporaryPassword"])
    _, place = visit("POST", "/oauth2/sign-in", 303, **hidden, email=email, password=hired["temporaryPassword"], newPassword=chosen)
    assert place.startswith("/oauth2/enrolment"), place
    text, hidden = visit.page(place)
    app = pyotp.parse_uri(html.unescape(re.search(r'otpauth://[^"<]*', text)[0]))
    visit("POST", "/oauth2/enrolment", 422, repeats=True, **hidden, code=tell.canary())
    visit("POST", "/oauth2/enrolment", 200, **hidden, code=app.now())
    _, place = visit("POST", "/oauth2/enrolment", 303, idle=True, **hidden)
    _, hidden = visit.page(place)
    visit("POST", "/oauth2/consent", 303, **hidden, decision="deny")

    # Another browser: password, and the app's next code.
    visit = Visitor(tell)
    _, hidden = visit.page(begin())
    _, place = visit("POST", "/oauth2/sign-in", 303, **hidden, email=email, password=chosen)
    assert place.startswith("/oauth2/second-factor"), place
    _, hidden = visit.page(place)
    visit("POST", "/oauth2/second-factor", 422, **hidden, code=tell.canary())
    visit("POST", "/oauth2/passkey", 422, **hidden, **{field: tell.canary() for field in (
        "credentialId", "clientDataJSON", "authenticatorData", "signature", "userHandle")})
    _, place = visit("POST", "/oauth2/second-factor", 303, **hidden, code=app.at(int(time.time()) + 30))
    _, hidden = visit.page(place)
    _, place = visit("POST", "/oauth2/consent", 303, **hidden, decision="allow")
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))["code"]

    # What the application asks for itself.
    redeem = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    for field in ("code", "redirect_uri", "code_verifier"):
        visit("POST", "/oauth2/token", 400, **own, **{**redeem, field: tell.canary().ljust(43, "x") if field == "code_verifier" else tell.canary()})
    visit("POST", "/oauth2/token", 401, **{**own, "client_secret": tell.canary()}, **redeem)
    visit("POST", "/oauth2/token", 401, **{**own, "client_id": tell.canary()}, **redeem)
    text, _ = visit("POST", "/oauth2/token", 200, **own, **redeem)
    given = json.loads(text)
    for field in ("refresh_token", "scope", "resource", "grant_type"):
        visit("POST", "/oauth2/token", 400, **own, **{"grant_type": "refresh_token", "refresh_token": given["refresh_token"], field: tell.canary()})
    renewed = json.loads(visit("POST", "/oauth2/token", 200, idle=True, **own, grant_type="refresh_token", refresh_token=given["refresh_token"])[0])
    for method in ("GET", "POST"):
        visit(method, "/oauth2/userinfo", 200, headers={"Authorization": f"Bearer {renewed['access_token']}"})
        visit(method, "/oauth2/userinfo", 401, headers={"Authorization": f"Bearer {tell.canary()}"})
    visit("POST", "/oauth2/introspect", 200, **own, token=renewed["access_token"])
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        visit("POST", path, 200, idle=True, **own, token=tell.canary())
        visit("POST", path, 401, **{**own, "client_secret": tell.canary()}, token=tell.canary())
    visit("POST", "/oauth2/revoke", 200, **own, token=renewed["refresh_token"])

    # Out again, by a link that asks first and by one that brings the ID token.
    out = {"client_id": client["clientId"], "post_logout_redirect_uri": BACK}
    visit("GET", "/oauth2/logout", 200, **out, state=tell.canary("Hous"), id_token_hint=tell.canary())
    visit("POST", "/oauth2/logout", 200, idle=True, **out, state=tell.canary("Hous"), id_token_hint=tell.canary())
    visit("GET", "/oauth2/logout", 400, client_id=tell.canary())
    visit("GET", "/oauth2/logout", 400, **{**out, "post_logout_redirect_uri": tell.canary()})
    visit("GET", "/oauth2/logout", 303, **out, id_token_hint=given["id_token"], state=tell.canary("Hous"))
    visit("POST", "/oauth2/logout", 303, idle=True, **out, id_token_hint=given["id_token"], state=tell.canary("Hous"))
    boss.call("PUT", "/v1/auth/policy", {"staffMFA": "optional"}, expect=200)
    me = Clinic(tell.door.url, tell.mint("nurse", account=hired["id"]))
    agreed, = tell("GET", "/v1/auth/consents", "nurse", client=me)["items"]
    trace = uuid.uuid4().hex
    taken_back = me.call("DELETE", f"/v1/auth/consents/{agreed['clientId']}", headers=access.traced(trace), expect=204)
    tell.note("DELETE", "/v1/auth/consents/:client", "nurse", taken_back, 0, "", trace)

    # And all seventeen by somebody who knows no page: a canary in every field, in one that is not declared, and in cookies and headers.
    for (method, pattern), operation in sorted(tell.documented.items()):
        if pattern.startswith("/oauth2/"):
            stranger = Visitor(tell)
            stranger.cookies = {"__Host-polyclinic-browser": tell.canary(), "__Host-polyclinic-session": tell.canary()}
            stranger(method, pattern, refusal(method, pattern), **{field: tell.canary() for field in [*fields_of(operation), "unknown"]},
                     headers={"X-Canary": tell.canary(), "User-Agent": tell.canary(), "Referer": f"https://canary.example/{tell.canary()}"})


def refusal(method, pattern):
    """What nobody's link or form is answered: an application that proves nothing, a form without its page's token, a link to nowhere."""
    if pattern in ("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/userinfo"):
        return 401
    return 403 if method == "POST" and pattern not in ("/oauth2/authorize", "/oauth2/logout") else 400


def fields_of(operation):
    """The words that a link or a form of /oauth2 takes."""
    form = (operation.get("requestBody") or {}).get("content", {}).get("application/x-www-form-urlencoded", {}).get("schema", {})
    return [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"] + list(form.get("properties", {}))


class Listener:
    """A connection to a stream, and what it has said."""

    def __init__(self, door, path, token, upgrade=False, **headers):
        lines = [f"GET {path} HTTP/1.1", f"Host: {door.host}:{door.port}", f"Authorization: Bearer {token}"] + [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
        if upgrade:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
        self.line = socket.create_connection((door.host, door.port), timeout=20)
        self.line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.said = b""
        self.until(b"\r\n\r\n")
        self.status = int(self.said.split()[1])
        if self.status >= 400:  # no stream, but an answer with an end
            length = int(re.search(rb"(?i)content-length: (\d+)", self.said)[1])
            while len(self.said.partition(b"\r\n\r\n")[2]) < length:
                self.said += self.line.recv(65536)

    def until(self, mark, times=1, seconds=20):
        """Reads until `mark` was said so often."""
        end = time.monotonic() + seconds
        while self.said.count(mark) < times:
            self.line.settimeout(max(0.01, end - time.monotonic()))
            more = self.line.recv(65536)
            assert more, (mark, self.said[-400:])
            self.said += more

    def tell(self, text):
        """One masked text frame (RFC 6455 5.2)."""
        mask, data = os.urandom(4), text.encode()
        self.line.sendall(bytes([0x81, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))


# How the canaries of this run begin: what does not hold this holds none of them.
RUN = uuid.uuid4().hex[:8]
PHONE = f"+9197{uuid.uuid4().int % 10**4:04d}"
OF_PERSONS, OF_THE_HOUSE = [f"Cnry{RUN}", f"cnry{RUN}", PHONE], [f"Hous{RUN}"]
# Refused on purpose: whoever makes up a proof, a secret or a code has none.
MEANT = {("POST", f"/v1/auth/{path}") for path in (
    "login", "refresh", "logout", "contact/confirmation", "passkeys", "passkeys/sign-in", "password-reset/confirmation", "sign-up/confirmation")}
# Writes that are done nowhere here, so that their entries are not looked for: they need a code that was sent to somebody
# (Tests/Journeys/test_factors.py) or a passkey of a real authenticator (Tests/Conformance/passkey.py, Tests/Auth/PasskeyTests.swift).
UNDONE = {("DELETE", "/v1/auth/passkeys/:id")} | {("POST", f"/v1/auth/{path}") for path in (
    "contact/confirmation", "passkeys", "passkeys/sign-in", "password-reset/confirmation", "sign-up/confirmation")}
# Where no canary goes through, for the reader of the report.
NOT_SENT = {
    f"Fields of a form of their own ({', '.join(f'`{field}`' for field in sorted(FORMED))}), identifiers, dates, numbers and choices": "nothing of a person's fits "
    "into them; whatever stands in their place is refused, and the refusal is read.",
    "Proofs (" + ", ".join(f"`{path}`" for _, path in sorted(MEANT)) + ", `/oauth2/passkey`, and each code, verifier, secret and token of `/oauth2`)":
    "a canary stands where the proof belongs, so it gets as far as the refusal; a signature of a real passkey is made by `Tests/Conformance/passkey.py`.",
    "`response_type`, `client_id`, `redirect_uri`, `scope`, `code_challenge`, `prompt`, `max_age`, `resource`, `attempt`, `token`, `decision` of `/oauth2`": "an application's "
    "words and ours, which must be right for a link to be followed: a canary in each is refused or not looked at, and the answer is read.",
    "`state` and `nonce`": "are sent, as words of the house: they are the application's own and rest in clear for a day (docs/security/data-catalogue.md).",
    "`/v1/notifications/live` and `/v1/queue/display/events`": "take no words: canaries are sent in their addresses and headers and as a frame, and what they say is searched.",
    "`/internal/…`": "ids and states between services, behind the gateway; the access matrix asks them.",
}
# How many routes took canaries in and answered 2xx, and how many took or showed some: fewer is a hole in this test.
FLOOR_TAKEN, FLOOR_ALL = 50, 96


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
    tell("POST", "/v1/auth/passkeys/challenge", None)
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

    by_browser(tell, boss, site)

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

    # Who listens meanwhile: the waiting room's screen, and an administrator for notices.
    screen = Listener(door, "/v1/queue/display/events", mint("display"))
    notices = Listener(door, "/v1/notifications/live", mint("admin"), upgrade=True)
    assert (screen.status, notices.status) == (200, 101)
    notices.tell(tell.canary())

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
    told_of = boss.eventually("/v1/notifications", lambda a: a["items"])["items"]
    tell("GET", "/v1/notifications", "admin")
    tell("POST", "/v1/notifications/:id/read", "admin", id=told_of[0]["id"])
    tell("POST", "/v1/patients/:id/erasure", "admin", {"ground": "registered_in_error"}, id=leaver)
    tell("DELETE", "/v1/patients/:id", "reception", id=record)

    # What the streams said: the board as it was and after each change, and notices.
    screen.until(b"event: board", 3)
    notices.until(b'"kind"')
    tell.heard = {"/v1/queue/display/events": screen, "/v1/notifications/live": notices}
    for path, role, upgrade in (("/v1/queue/display/events", "display", False), ("/v1/notifications/live", "admin", True)):
        for query in (f"?locationId={tell.canary()}", f"?{tell.canary()}=1", ""):  # in vain too; headers are nobody's business, with or without an answer
            line = Listener(door, path + query, mint(role), upgrade, X_Canary=tell.canary(), Last_Event_ID=tell.canary(), User_Agent=tell.canary(),
                            Sec_WebSocket_Protocol=tell.canary())
            line.line.close()
            assert line.status < 500, (path, query, line.said)
            if line.status >= 400:
                tell.refused.append(("GET", path, role, Answer(line.status, {}, line.said, 0)))

    # And in vain: everywhere a canary may be put by somebody who knows no better, so that its refusal is read.
    for (method, pattern), operation in sorted(tell.documented.items()):
        if pattern in tell.heard or pattern.startswith("/oauth2"):
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
    for path, listener in told.heard.items():
        looked[f"what {path} said"] = listener.said
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
        if status < 400 and sent + shown:
            routes.setdefault((method, pattern), []).append((role, status, sent, shown))
    taken = [route for route, rows in routes.items() if any(sent for _, _, sent, _ in rows)]
    lines = ["# Canaries", "",
             "Values that stand nowhere else, through every route, and where they came out (S9): `Tests/Journeys/test_zz_canaries.py`",
             "writes this page; `CANARIES_REGENERATE=1 Tests/run journeys -k canary` renews the copy in docs/security.", "",
             f"{len(told.words)} words of persons and {len(told.house)} of the house. {len(taken)} routes took canaries in and were answered 2xx or 3xx, "
             f"{len(routes)} took or showed some; {len(told.refused)} refusals were read.", "",
             "| Place searched | Looked for | Hits |", "|---|---|---|"]
    lines += [f"| {place} | {'all' if place in nobodys else 'of persons'} | {len(hits[place])} |" for place in looked]
    lines += [f"| every column of every table | of persons | {len(columns)} |", "",
              "| Route | Role | Status | Canaries sent | Canaries shown to them |", "|---|---|---|---|---|"]
    lines += [f"| `{method} {pattern}` | {role} | {status} | {sent} | {shown} |"
              for (method, pattern), rows in sorted(routes.items(), key=lambda r: (r[0][1], r[0][0])) for role, status, sent, shown in rows]
    lines += ["", "## What is not sent, and why", ""] + [f"- {what}: {why}" for what, why in NOT_SENT.items()]
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
    taken = {(method, pattern) for method, pattern, _, status, sent, _ in told.rows if status < 400 and sent}
    assert taken >= {("GET", "/oauth2/authorize"), ("POST", "/oauth2/authorize"), ("POST", "/oauth2/sign-in"), ("POST", "/oauth2/introspect"),
                     ("POST", "/oauth2/revoke"), ("GET", "/oauth2/logout"), ("POST", "/oauth2/logout")}, taken
    for (method, pattern), operation in told.documented.items():
        words, schema = [], bodies.schema_of(operation)
        if method != "GET" and schema and (method, pattern) not in taken | MEANT:
            bodies.valid(schema, {}, True, told.word(pattern, words))
            assert not words, f"{method} {pattern} takes words, and no canary went through it"


def test_every_field_of_the_identity_providers_forms_had_a_canary(told):
    of_oauth = {route: operation for route, operation in told.documented.items() if route[1].startswith("/oauth2/")}
    assert len(of_oauth) == 17, sorted(of_oauth)
    missed = [(route, field) for route, operation in of_oauth.items() for field in fields_of(operation) if field not in told.fields.get(route, {})]
    assert not missed, missed
    # And where a person's or an application's word is taken as it is, it was.
    for route, field in ((("GET", "/oauth2/authorize"), "state"), (("GET", "/oauth2/authorize"), "nonce"), (("GET", "/oauth2/authorize"), "login_hint"),
                         (("POST", "/oauth2/sign-in"), "email"), (("POST", "/oauth2/sign-in"), "password"), (("POST", "/oauth2/sign-in"), "newPassword"),
                         (("GET", "/oauth2/logout"), "state"), (("POST", "/oauth2/introspect"), "token"), (("POST", "/oauth2/revoke"), "token")):
        assert told.fields[route][field] < 400, (route, field, told.fields[route])


def test_every_write_left_an_entry(told, database):
    """S15, over every route that writes: what the access matrix does in earnest is little, because its versions are old."""
    assert not (wrong := access.unrecorded(database, told.done)), "\n".join(map(str, wrong))
    written = set(told.done.values())
    gone = {route for route in access.WITHOUT_ENTRY if route not in written}
    assert not gone, f"excused, and not done any more: {gone}"
    writes = {(operation["tags"][0], method, pattern) for (method, pattern), operation in told.documented.items()
              if method != "GET" and not pattern.startswith("/oauth2/") and pattern != "/v1/patients/search"}
    never = {route[1:] for route in writes - written}
    assert never == UNDONE, f"no write of these was done: {never}, and not only {UNDONE}"
    print(f"{len(told.done)} writes of {len(written)} routes, {len(written) - len(access.WITHOUT_ENTRY)} with an entry each")


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
