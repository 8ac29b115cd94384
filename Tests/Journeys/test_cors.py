"""Pages of other sites: a browser there may read our answers where the token's own tenant allows its origin (decision 0041)."""
import http.server
import json
import pathlib
import shutil
import subprocess
import threading
import time

import pytest

from clinic import Clinic, unique

OURS, THEIRS, STRANGER = "https://portal.cors.example", "https://portal.elsewhere.example", "https://evil.example"


def change(admin, **settings):
    return admin.patch("/v1/tenants/settings", settings)


@pytest.fixture(scope="module")
def elsewhere(env, door, stack, tmp_path_factory):
    """The administrator of another clinic."""
    email = f"head{unique()}@elsewhere.example"
    password = pathlib.Path(env["POLYCLINIC_DATA"]) / "secrets/demo_password"
    made = stack("run", "auth", "bootstrap-tenant", "--name", "Elsewhere", "--location-name", "There", "--zone", "UTC", "--currency", "USD",
                 "--admin-email", email, "--admin-password-file", str(password))
    assert made.returncode == 0, made.stderr
    return door.as_(email)


@pytest.fixture(scope="module")
def allowed(door, admin, elsewhere):
    """Each clinic allows its own portal, and every service has heard of it."""
    before = admin.get("/v1/tenants/settings")["redirectOrigins"]
    change(admin, redirectOrigins=[*before, OURS])
    change(elsewhere, redirectOrigins=[THEIRS])
    try:
        for path in ONE_OF_EACH:
            heard(door, OURS, path)
            heard(door, THEIRS, path)
        yield
    finally:
        change(admin, redirectOrigins=before)


def heard(door, origin, path, method="GET", status=204):
    """Services ask auth every five seconds."""
    until = time.monotonic() + 15
    while (answer := door.call("OPTIONS", path, headers=preflight(origin, method))).status != status:
        assert time.monotonic() < until, (path, answer)
        time.sleep(0.1)


# One route of each service that has some for people.
ONE_OF_EACH = ["/v1/users", "/v1/slots", "/v1/queue/today", "/v1/patients", "/v1/inventory/medicines", "/v1/invoices", "/v1/notifications",
               "/v1/reports/audit-logs"]


def preflight(origin, method="GET"):
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.mark.parametrize("path", ONE_OF_EACH)
def test_a_preflight_is_answered_for_origins_that_a_clinic_allows_and_no_other(allowed, door, path):
    known = door.call("OPTIONS", path, headers=preflight(OURS))
    assert known.status == 204 and known.headers["access-control-allow-origin"] == OURS and known.bytes == b""
    assert "Authorization" in known.headers["access-control-allow-headers"] and "GET" in known.headers["access-control-allow-methods"]
    for origin in (STRANGER, "null", OURS + ".evil.example", OURS.upper(), OURS + "/", "http://portal.cors.example", OURS + ":8443", "*"):
        refused = door.call("OPTIONS", path, headers=preflight(origin))
        assert refused.status == 405 and not [h for h in refused.headers if h.startswith("access-control")], origin
    for answer in (known, refused):
        assert "Origin" in answer.headers["vary"] and "access-control-allow-credentials" not in answer.headers


def test_an_answer_is_readable_where_the_token_s_own_clinic_allows_it(allowed, admin, elsewhere):
    for client, own, other in ((admin, OURS, THEIRS), (elsewhere, THEIRS, OURS)):
        for path in ("/v1/users?limit=1", "/v1/patients?limit=1", "/v1/slots?limit=1"):
            mine = client.call("GET", path, headers={"Origin": own})
            assert mine.status == 200 and mine.headers["access-control-allow-origin"] == own
            assert "ETag" in mine.headers["access-control-expose-headers"]
            for origin in (other, STRANGER, "null"):
                answer = client.call("GET", path, headers={"Origin": origin})
                assert answer.status == 200 and "access-control-allow-origin" not in answer.headers and "Origin" in answer.headers["vary"]


def test_a_refusal_can_be_read_too(allowed, door, admin):
    """A page must see that its token is over; what refuses before a tenant is known is readable from every clinic's origins."""
    assert Clinic(door.url, "not.a.token").call("GET", "/v1/patients", headers={"Origin": OURS}).headers["access-control-allow-origin"] == OURS
    assert admin.call("GET", f"/v1/patients/{'0' * 8}-0000-7000-8000-{'0' * 12}", headers={"Origin": OURS}).headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-origin" not in door.call("GET", "/v1/patients", headers={"Origin": STRANGER}).headers


def test_a_client_s_own_page_may_ask_for_tokens_and_for_nothing_else(allowed, door, elsewhere):
    origin = f"https://app{unique()}.example"
    # The clinic's list bounds where its clients may be.
    elsewhere.call("PATCH", "/v1/tenants/settings", {"redirectOrigins": []}, headers={"If-Match": elsewhere.get("/v1/tenants/settings").headers["etag"]}, expect=200)
    client = elsewhere.post("/v1/auth/clients", {"name": "A page", "grantTypes": ["authorization_code"], "redirectUris": [origin + "/back"], "scopes": ["openid"],
                                                 "public": True})
    heard(door, origin, "/oauth2/token", "POST")
    for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json"):
        assert door.call("GET", path, headers={"Origin": origin}).headers["access-control-allow-origin"] == origin
    assert door.call("POST", "/oauth2/token", raw=b"grant_type=nonsense", headers={"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
                     ).headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in door.call("GET", "/v1/patients", headers={"Origin": origin}).headers
    assert "access-control-allow-origin" not in elsewhere.call("GET", "/v1/patients", headers={"Origin": origin}).headers
    # A client that is switched off takes its origin with it.
    one = f"/v1/auth/clients/{client['clientId']}"
    elsewhere.patch(one, {"active": False})
    heard(door, origin, "/oauth2/token", "POST", status=405)


def test_what_services_tell_each_other_of_origins_is_not_behind_the_gateway(door):
    assert door.call("GET", "/internal/origins").status == 404


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_a_real_browser_reads_from_an_allowed_origin_and_not_from_another(allowed, env, admin, tmp_path):
    """The same page from two ports of this machine: one origin is on the clinic's list."""
    servers = []
    for _ in range(2):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = f"""<title>waiting</title><script>
                    fetch({json.dumps(env['POLYCLINIC_URL'] + '/v1/users?limit=1')}, {{headers: {{Authorization: 'Bearer {admin.token}'}}}})
                      .then(r => r.json()).then(j => document.title = 'read ' + j.items.length, e => document.title = 'refused')</script>"""
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    good, bad = (f"http://127.0.0.1:{s.server_address[1]}" for s in servers)
    change(admin, redirectOrigins=[*admin.get("/v1/tenants/settings")["redirectOrigins"], good])
    heard(admin, good, "/v1/users")

    def title(origin):
        page = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/{origin[-5:]}", "--virtual-time-budget=8000",
                               "--dump-dom", origin], capture_output=True, text=True, timeout=60).stdout
        return page[page.index("<title>") + 7:page.index("</title>")]
    try:
        assert title(good) == "read 1"
        assert title(bad) == "refused"
    finally:
        for server in servers:
            server.shutdown()
