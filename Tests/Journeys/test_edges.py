"""The gateway's edges: TLS, headers on every answer, limits by address, and what a plain connection gets (S14, S18, D18)."""
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import time
import urllib.parse
import uuid

import pytest

from clinic import metrics, unique

HEADERS = {
    "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin"}


@pytest.fixture(scope="module")
def https(env):
    context = ssl.create_default_context(cafile=env["POLYCLINIC_CA"])
    port = urllib.parse.urlsplit(env["POLYCLINIC_HTTPS_URL"]).port

    def ask(path, method="GET", body=None, headers={}):
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, read
    return ask


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/docs/events", "/docs/assets/swagger-ui.css", "/v1/patients", "/nothing", "/internal/cards/patients/1", "/v1/%zz"])
def test_every_answer_carries_the_security_headers(https, door, path):
    for headers in (https(path)[1], door.call("GET", path).headers):
        for name, value in HEADERS.items():
            assert headers.get(name) == value, (path, name, headers)
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src" in policy
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy, (path, policy)
        given = {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}
        for kind in ("script-src", "style-src"):
            assert set(given.get(kind, given["default-src"])) <= {"'self'", "'none'"}, (path, kind, policy)
        assert "nginx/" not in headers.get("server", "")


def test_an_answer_that_nginx_makes_itself_carries_them_too(https):
    status, headers, _ = https("/v1/patients", "POST", b"x" * 1_100_000, {"Content-Type": "application/json"})
    assert status == 413 and headers["strict-transport-security"].startswith("max-age=63072000")
    assert all(headers.get(n) == v for n, v in HEADERS.items())


def test_each_header_is_there_once(env, door):
    for path in ("/health", "/v1/patients", "/docs"):
        raw = subprocess.run(["curl", "-sD-", "-o", "/dev/null", env["POLYCLINIC_URL"] + path], capture_output=True, text=True, check=True).stdout.lower()
        for name in [*HEADERS, "content-security-policy"]:
            assert len(re.findall(rf"^{name}:", raw, re.M)) == 1, (path, name)


def test_hsts_only_where_it_means_something(https, door):
    assert "max-age=" in https("/health")[1]["strict-transport-security"]
    assert "strict-transport-security" not in door.call("GET", "/health").headers


def versions(env, *options):
    port = urllib.parse.urlsplit(env["POLYCLINIC_HTTPS_URL"]).port
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", env["POLYCLINIC_CA"], *options],
                          input=b"", capture_output=True, timeout=10)


def test_only_tls_1_2_and_1_3_with_forward_secrecy(env):
    assert b"TLSv1.3" in versions(env, "-tls1_3").stdout
    assert b"TLSv1.2" in versions(env, "-tls1_2").stdout
    for old in ("-tls1", "-tls1_1"):
        assert b"BEGIN CERTIFICATE" not in versions(env, old, "-cipher", "ALL:@SECLEVEL=0").stdout
    for weak in ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"):
        assert b"BEGIN CERTIFICATE" not in versions(env, "-tls1_2", "-cipher", weak + ":@SECLEVEL=0").stdout


def test_a_client_that_checks_certificates_believes_only_our_authority(env):
    port = urllib.parse.urlsplit(env["POLYCLINIC_HTTPS_URL"]).port
    with pytest.raises(ssl.SSLCertVerificationError):
        with socket.create_connection(("localhost", port)) as plain, ssl.create_default_context().wrap_socket(plain, server_hostname="localhost"):
            pass


def test_http_2_is_spoken(env):
    spoken = subprocess.run(["curl", "-s", "--cacert", env["POLYCLINIC_CA"], "--http2", "-o", "/dev/null", "-w", "%{http_version}",
                             env["POLYCLINIC_HTTPS_URL"] + "/health"], capture_output=True, text=True, check=True).stdout
    assert spoken == "2"


@pytest.fixture(scope="module")
def narrow(env, tmp_path_factory):
    """A gateway of our own before the same services, with production's limits and its redirect."""
    folder = tmp_path_factory.mktemp("gateway")
    data = pathlib.Path(env["POLYCLINIC_DATA"])
    base = int(env["POLYCLINIC_URL"].rsplit(":", 1)[1])
    plain, limited = base + 41, base + 42
    text = (data / "nginx/nginx.conf").read_text()
    text = re.sub(r"rate=\d+r/s", "rate=5r/s", text)
    text = re.sub(r"burst=\d+ nodelay", "burst=10 nodelay", text)
    text = text.replace(f"{data}/nginx", str(folder)).replace(f"{data}/log", str(folder))
    user = "user root;\n" if os.getuid() == 0 else ""  # the folder of a test is its own user's
    (folder / "nginx.conf").write_text("daemon off;\n" + user + text)
    (folder / "temp").mkdir()
    (folder / "headers.conf").write_text((data / "nginx/headers.conf").read_text())
    (folder / "listen.conf").write_text(f"listen 127.0.0.1:{limited};\n")
    redirect = pathlib.Path(os.path.dirname(env["POLYCLINIC_STACK"]), "../nginx/redirect.conf").read_text()
    (folder / "redirect.conf").write_text(redirect.replace("@PLAIN@", f"127.0.0.1:{plain}").replace("@BURST@", "100"))
    path = os.environ["PATH"] + ":/usr/sbin"
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", f"pid {folder}/pid;"],
                               env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", plain), 1).close()
            break
        except OSError:
            assert process.poll() is None, (folder / "error.log").read_text()
            time.sleep(0.05)
    yield plain, limited
    process.terminate()
    process.wait(10)


def call(port, path, method="GET", body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, read


def test_in_production_plain_http_only_says_where_to_go(narrow):
    plain, _ = narrow
    status, headers, _ = call(plain, "/v1/auth/login?x=1", "POST", b"{}", {"Host": "clinic.example"})
    assert status == 308 and headers["location"] == "https://clinic.example/v1/auth/login?x=1"


def test_an_address_that_asks_too_much_is_told_to_wait(narrow):
    _, limited = narrow
    answers = [call(limited, "/docs") for _ in range(30)]
    refused = [a for a in answers if a[0] == 429]
    assert len(refused) >= 15 and answers[0][0] == 200
    status, headers, body = refused[0]
    assert headers["retry-after"] == "1" and b"too_many_requests" in body and headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    time.sleep(1.5)
    assert call(limited, "/docs")[0] == 200


def test_a_forged_forwarded_address_does_not_move_the_limit(door, database):
    """The throttle of logins counts the address the gateway saw, whatever the client says it is."""
    email = f"{unique('nobody')}@forged.example"
    answers, tallies = [], database.execute("select count(*) from auth.login_failure").fetchone()[0]
    for n in range(10):  # each from an address of its own, if one believes it: none would ever be told to wait
        answers.append(door.call("POST", "/v1/auth/login", {"email": email, "password": "wrong-wrong-wrong"}, headers={
            "X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}"}).status)
    assert answers[:5] == [401] * 5 and 429 in answers, answers
    # The address of this machine, the account at it, the account anywhere and what is unknown here: not ten of each.
    assert database.execute("select count(*) from auth.login_failure").fetchone()[0] <= tallies + 4


def test_an_address_that_is_forged_past_the_gateway_limit_is_told_to_wait_too(narrow):
    _, limited = narrow
    time.sleep(1.5)
    statuses = [call(limited, "/docs", headers={"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"})[0] for n in range(30)]
    assert statuses[0] == 200 and statuses.count(429) >= 10, statuses


def test_the_gateway_keeps_public_documents_and_nothing_that_is_somebodys(env, door, reception, make_patient):
    """A thousand slow readers of the contract cost one copy of it; a chart is asked of its service each time."""
    def answered(service, route):
        return sum(int(n) for n in re.findall(rf'_duration_seconds_count{{method="GET",route="{re.escape(route)}",[^}}]*}} (\d+)', metrics(env, service)))
    patient = make_patient()
    before = answered("portal", "/v1/openapi.json"), answered("clinical", "/v1/patients/:id")
    documents = [door.call("GET", "/v1/openapi.json") for _ in range(40)]
    charts = [reception.call("GET", f"/v1/patients/{patient['id']}") for _ in range(10)]
    assert {d.status for d in documents} == {200} and len({d.bytes for d in documents}) == 1
    assert {c.status for c in charts} == {200} and len({c.headers["traceparent"] for c in charts}) == 10
    assert answered("portal", "/v1/openapi.json") - before[0] <= 4 and answered("clinical", "/v1/patients/:id") - before[1] >= 10
    assert not any("traceparent" in d.headers for d in documents), "the first reader's trace is told to others"
    assert door.call("GET", "/v1/openapi.json?x=1").status == 400, "a kept answer hides what the portal refuses"


def everything_logged(env):
    folder = pathlib.Path(env["POLYCLINIC_DATA"])
    return {f.name: f.read_bytes() for place in ("log", "nginx") for f in sorted(folder.joinpath(place).rglob("*.log")) if f.is_file()}


def test_a_name_that_was_searched_while_a_service_was_down_is_in_no_log(env, stack, door, reception):
    """What nginx says of a request that failed quotes its first line, so of requests it says nothing; that they failed is known all the same."""
    word = f"Canary{uuid.uuid4().hex[:10]}"
    stack("stop", "clinical")
    try:
        down = reception.call("GET", f"/v1/patients?search={word}")
        assert down.status == 503 and down.code == "unavailable"
        reception.call("POST", f"/v1/patients/{word}", raw=b"x" * 1_100_000)
        door.call("GET", f"/v1/patients/{word}%zz?search={word}")
    finally:
        stack("start", "clinical")
    reception.eventually("/v1/patients?limit=1", lambda a: True)
    logs = everything_logged(env)
    assert [name for name, text in logs.items() if word.encode() in text] == []
    line, = [l for l in logs["nginx.unanswered.log"].decode().splitlines() if down["traceId"] in l]
    assert "GET" in line and "503" in line and "/v1" not in line and "127.0.0.1:" in line


def test_a_name_can_be_searched_without_standing_in_an_address(reception, make_patient):
    patient = make_patient()
    found = reception.post("/v1/patients/search", {"search": patient["mrn"], "limit": 5}, expect=200)
    assert patient["id"] in [p["id"] for p in found["items"]]
    first = reception.post("/v1/patients/search", {"limit": 1}, expect=200)
    assert first["nextCursor"] and "link" not in first.headers
    second = reception.post("/v1/patients/search", {"limit": 1, "cursor": first["nextCursor"]}, expect=200)
    assert second["items"][0]["id"] != first["items"][0]["id"]
    assert reception.post("/v1/patients/search", {"search": "x"}, expect=400).code == "invalid_request"
