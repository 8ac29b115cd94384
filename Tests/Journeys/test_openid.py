"""What a client may get by a person's browser, and what ends it (D20, D21, S6, S12)."""
import base64
import hashlib
import html
import http.client
import json
import re
import time
import urllib.parse

import pyotp
import pytest

from clinic import PASSWORD, Clinic, unique

BACK = "https://portal.example/back"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Portal:
    """A client with a browser of its own; the browser keeps cookies and follows nothing by itself."""

    def __init__(self, door, admin, **more):
        self.door, self.cookies = door, {}
        self.client = admin.post("/v1/auth/clients", {
            "name": unique("Portal"), "grantTypes": ["authorization_code", "refresh_token"], "redirectUris": [BACK],
            "scopes": ["openid", "profile", "scheduling.read", "clinical.read"], "consentRequired": False, **more}, key=unique()).json

    def ask(self, method, path, **fields):
        line = http.client.HTTPConnection(self.door.host, self.door.port, timeout=20)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        body = urllib.parse.urlencode(fields)
        if method == "GET":
            path, body = path + (f"?{body}" if body else ""), None
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        answer = line.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                name, value = value.split(";")[0].split("=", 1)
                self.cookies[name] = value
        line.close()
        return answer.status, answer.getheader("location", ""), text

    def visit(self, **changes):
        wish = {"response_type": "code", "client_id": self.client["clientId"], "redirect_uri": BACK, "scope": "openid profile scheduling.read",
                "state": "here", "nonce": "n", "code_challenge": CHALLENGE, "code_challenge_method": "S256"} | changes
        return self.ask("GET", "/oauth2/authorize", **{k: v for k, v in wish.items() if v is not None})

    def code(self, who="reception", **changes):
        _, place, _ = self.visit(**changes)
        if place.startswith("/oauth2/sign-in"):
            _, _, page = self.ask("GET", place)
            hidden = {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(attempt|token)" value="([^"]*)"', page)}
            _, place, _ = self.ask("POST", "/oauth2/sign-in", **hidden, email=f"{who}@demo.example", password=PASSWORD)
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))["code"]

    def token(self, **fields):
        status, _, text = self.ask("POST", "/oauth2/token", client_id=self.client["clientId"], client_secret=self.client["clientSecret"], **fields)
        return status, json.loads(text)

    def redeem(self, code, **changes):
        return self.token(grant_type="authorization_code", code=code, redirect_uri=BACK, **{"code_verifier": VERIFIER} | changes)

    def opens(self, access, path="/v1/providers"):
        return Clinic(self.door.url, access).call("GET", path).status


@pytest.fixture()
def portal(door, admin):
    return Portal(door, admin)


def soon(what):
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_code_opens_what_was_asked_for_and_nothing_else(portal):
    status, given = portal.redeem(portal.code())
    assert status == 200 and given["token_type"] == "Bearer" and given["id_token"]
    assert portal.opens(given["access_token"]) == 200
    assert portal.opens(given["access_token"], "/v1/patients?search=meera") == 401  # another service
    assert portal.opens(given["access_token"], "/v1/auth/me") == 403  # the person's own


def test_a_code_without_its_verifier_is_worth_nothing(portal):
    code = portal.code()
    for wrong in ("w" * 64, CHALLENGE, ""):
        assert portal.redeem(code, code_verifier=wrong)[0] == 400
    assert portal.redeem(code)[0] == 200


def test_a_code_that_comes_twice_takes_back_what_it_gave(portal):
    code = portal.code()
    _, given = portal.redeem(code)
    status, answer = portal.redeem(code)
    assert status == 400 and answer["error"] == "invalid_grant"
    soon(lambda: portal.opens(given["access_token"]) == 401)
    assert portal.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400


@pytest.mark.parametrize("address", [BACK + "door", BACK + "/", BACK + "?x=1", "https://portal.example/bac", "https://portal.example.evil.example/back", None])
def test_an_address_that_only_looks_alike_gets_nobody(portal, address):
    status, place, _ = portal.visit(redirect_uri=address)
    assert status == 400 and not place


def test_others_guesses_close_the_pages_to_strangers_and_not_to_the_owners_browser(door, admin, database):
    email = f"{unique('nurse')}@demo.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})

    def enter(portal, password=PASSWORD):
        _, place, _ = portal.visit(prompt="login")
        _, _, page = portal.ask("GET", place)
        hidden = {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(attempt|token)" value="([^"]*)"', page)}
        return portal.ask("POST", "/oauth2/sign-in", **hidden, email=email, password=password)[0]

    owner, stranger = Portal(door, admin), Portal(door, admin)
    assert enter(owner) == 303
    before = [key for key, in database.execute("select key from auth.login_failure")]
    assert enter(stranger, "wrong-password-1") == 422
    try:  # as if a hundred addresses had guessed once each
        database.execute("update auth.login_failure set failures = 100 where key <> all (%s)", [before])
        assert enter(stranger) == 429
        assert enter(owner) == 303
    finally:
        database.execute("delete from auth.login_failure where key <> all (%s)", [before])


def test_a_browser_that_was_idle_asks_who_it_is(portal, database):
    portal.code("nurse")
    assert "code=" in portal.visit()[1]
    browser, account = database.execute("select id, account_id from auth.browser_session order by shown_at desc limit 1").fetchone()
    # The account was there long before: what asks is the idle browser.
    database.execute("update auth.account set valid_from = valid_from - interval '1 hour' where id = %s", [account])
    database.execute("update auth.browser_session set shown_at = shown_at - interval '29 minutes' where id = %s", [browser])
    assert "code=" in portal.visit()[1]
    database.execute("update auth.browser_session set shown_at = shown_at - interval '1 minute' where id = %s", [browser])
    assert portal.visit()[1].startswith("/oauth2/sign-in")


def test_the_access_token_dies_with_the_session(door, admin):
    """Signing out, and a refresh token that comes back: within seconds, in every service."""
    email = f"{unique('nurse')}@demo.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})
    for end in ("logout", "reuse"):
        pair = door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}, expect=200)
        client = Clinic(door.url, pair["accessToken"])
        paths = ["/v1/auth/me", "/v1/patients?search=meera", "/v1/providers", "/v1/inventory/medicines", "/v1/queue/today", "/v1/notifications"]
        assert {client.call("GET", path).status for path in paths} <= {200, 400}  # some want a query
        if end == "logout":
            door.call("POST", "/v1/auth/logout", {"refreshToken": pair["refreshToken"]}, expect=204)
        else:
            second = door.call("POST", "/v1/auth/refresh", {"refreshToken": pair["refreshToken"]}, expect=200)
            door.call("POST", "/v1/auth/refresh", {"refreshToken": second["refreshToken"]}, expect=200)
            assert door.call("POST", "/v1/auth/refresh", {"refreshToken": pair["refreshToken"]}).code == "token_reused"
        for path in paths:
            soon(lambda: client.call("GET", path).status == 401)


def hidden(page):
    return {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(attempt|token)" value="([^"]*)"', page)}


def test_staff_add_the_factor_that_their_clinic_asks_for_on_the_way(door, stack, env):
    boss = f"{unique('admin')}@factor.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Factor"), "--location-name", "One", "--zone", "Etc/GMT",
          "--currency", "INR", "--admin-email", boss, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
    admin = door.as_(boss)
    email = f"{unique('nurse')}@factor.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})
    portal, early = Portal(door, admin), Portal(door, admin)
    _, place, _ = early.visit()
    _, place, _ = early.ask("POST", "/oauth2/sign-in", **hidden(early.ask("GET", place)[2]), email=email, password=PASSWORD)
    assert "code=" in place
    admin.call("PUT", "/v1/auth/policy", {"staffMFA": "required"}, expect=200)
    # Whoever finds a browser that was signed in adds no factor of theirs.
    assert early.visit()[1].startswith("/oauth2/sign-in")

    _, place, _ = portal.visit()
    _, _, page = portal.ask("GET", place)
    _, place, _ = portal.ask("POST", "/oauth2/sign-in", **hidden(page), email=email, password=PASSWORD)
    assert place.startswith("/oauth2/enrolment")
    status, _, page = portal.ask("GET", place)
    assert status == 200
    app = pyotp.parse_uri(html.unescape(re.search(r'href="(otpauth:[^"]*)"', page).group(1)))
    assert app.secret == re.search("<code>(.*?)</code>", page).group(1).replace(" ", "")
    assert portal.ask("POST", "/oauth2/enrolment", **hidden(page), code=f"{(int(app.now()) + 1) % 10**6:06}")[0] == 422
    assert portal.ask("POST", "/oauth2/enrolment", **hidden(page))[0] == 422, "nobody goes on without the code"
    status, place, codes = portal.ask("POST", "/oauth2/enrolment", **hidden(page), code=app.now())
    assert status == 200 and not place and len(re.findall("<li>[A-Z2-7-]{19}</li>", codes)) == 10
    _, place, _ = portal.ask("POST", "/oauth2/enrolment", **hidden(codes))
    status, given = portal.redeem(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))["code"])
    assert status == 200 and portal.opens(given["access_token"]) == 200
    assert door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}).code == "otp_required"


def test_a_consent_that_is_taken_back_puts_the_application_out(door, admin):
    email = f"{unique('nurse')}@demo.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})
    portal = Portal(door, admin, consentRequired=True)
    _, place, _ = portal.visit()
    _, _, page = portal.ask("GET", place)
    _, place, _ = portal.ask("POST", "/oauth2/sign-in", **hidden(page), email=email, password=PASSWORD)
    _, _, page = portal.ask("GET", place)
    _, place, _ = portal.ask("POST", "/oauth2/consent", **hidden(page), decision="allow")
    _, given = portal.redeem(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))["code"])
    me = Clinic(door.url).as_(email)
    agreed = me.get("/v1/auth/consents")["items"]
    assert [c["clientId"] for c in agreed] == [portal.client["clientId"]]
    assert portal.opens(given["access_token"]) == 200
    me.call("DELETE", f"/v1/auth/consents/{portal.client['clientId']}", expect=204)
    soon(lambda: portal.opens(given["access_token"]) == 401)
    assert portal.token(grant_type="refresh_token", refresh_token=given["refresh_token"])[0] == 400
    assert me.get("/v1/auth/consents")["items"] == [] and me.get("/v1/auth/me")["email"] == email
    assert portal.visit()[1].startswith("/oauth2/sign-in"), "it asks again"
