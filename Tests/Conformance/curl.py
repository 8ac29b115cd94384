#!/usr/bin/env python3
"""curl as people use it: HTTP/1.1 and HTTP/2, straight and through nginx, kept alive, in chunks, in parts, by odd methods."""
import json
import subprocess
import uuid

from wire import ENV, GATEWAY, PORTS, Clinic, case, main

AUTH, PLAIN, SECURE = f"http://127.0.0.1:{PORTS['auth']}", f"http://127.0.0.1:{GATEWAY}", ENV["POLYCLINIC_HTTPS_URL"]
EVERYWHERE = (AUTH, PLAIN, SECURE)
LOGIN = json.dumps({"email": "reception@demo.example", "password": "Polyclinic-demo-2026"})
KEYS = "/.well-known/jwks.json"
JSON = ("-H", "Content-Type: application/json")


def curl(*arguments, write="%{http_code}", data=None, may_fail=()):
    """What `--write-out` says of each transfer, and the bodies together. `may_fail` are exit codes that will do."""
    result = subprocess.run(
        ["curl", "-sS", "-m", "15", "--cacert", ENV["POLYCLINIC_CA"], "--path-as-is", "-w", "\x1e" + write + "\x1f", *arguments],
        input=data, capture_output=True)
    assert result.returncode in (0, *may_fail), f"curl: {result.stderr.decode()}"
    said, facts = b"", []
    for part in result.stdout.split(b"\x1f")[:-1]:
        body, _, fact = part.rpartition(b"\x1e")
        said += body
        facts.append(fact.decode())
    return facts, said


@case
def kept_alive():
    """ten requests use one connection"""
    for at in EVERYWHERE:
        facts, _ = curl(*[f"{at}{KEYS}"] * 10, write="%{http_code} %{num_connects}")
        assert facts == ["200 1"] + ["200 0"] * 9, (at, facts)


@case
def kept_alive_after_refusals():
    """a refusal does not cost the connection"""
    for at in EVERYWHERE:
        facts, _ = curl(f"{at}/v1/users", f"{at}/v1/nothing", f"{at}{KEYS}", write="%{http_code} %{num_connects}")
        assert [f.split()[0] for f in facts] == ["401", "404", "200"] and [f.split()[1] for f in facts] == ["1", "0", "0"], (at, facts)


@case
def http2():
    """HTTP/2 is spoken through TLS, and HTTP/1.1 to who asks for it"""
    assert curl("--http2", f"{SECURE}{KEYS}", write="%{http_version} %{http_code} %{ssl_verify_result}")[0] == ["2 200 0"]
    assert curl("--http1.1", f"{SECURE}{KEYS}", write="%{http_version} %{http_code}")[0] == ["1.1 200"]


@case
def posts():
    """a body is taken over HTTP/1.1 and HTTP/2, with a length and without"""
    for at in EVERYWHERE:
        assert curl(*JSON, "--data-binary", LOGIN, f"{at}/v1/auth/login")[0] == ["200"], at
        assert curl(*JSON, "-H", "Transfer-Encoding: chunked", "-X", "POST", "-T", "-", f"{at}/v1/auth/login", data=LOGIN.encode())[0] == ["200"], at


@case
def expectations():
    """Expect: 100-continue is answered, also before a refusal; what nobody knows is 417"""
    for at in EVERYWHERE:
        assert curl(*JSON, "-H", "Expect: 100-continue", "--expect100-timeout", "8", "--data-binary", LOGIN, f"{at}/v1/auth/login")[0] == ["200"], at
        facts, _ = curl(*JSON, "-H", "Expect: 100-continue", "--expect100-timeout", "8", "--data-binary", "@-", f"{at}/v1/auth/login", data=b"a" * 3_000_000)
        assert facts == ["413"], (at, facts)
    assert curl(*JSON, "-H", "Expect: tea", "--data-binary", LOGIN, f"{AUTH}/v1/auth/login")[0] == ["417"]


@case
def heads():
    """HEAD says what GET would, without the content, and the connection goes on"""
    for at in EVERYWHERE:
        body = curl(f"{at}{KEYS}")[1]
        facts, said = curl("-I", f"{at}{KEYS}", "--next", "-sS", "--cacert", ENV["POLYCLINIC_CA"], "-w", "\x1e%{http_code} %{num_connects}\x1f", f"{at}{KEYS}")
        assert facts == ["200", "200 0"] and f"content-length: {len(body)}".encode() in said.lower(), (at, facts, said)


@case
def ranges():
    """a range is the part or the whole, never something else"""
    for at in EVERYWHERE:
        whole = curl(f"{at}{KEYS}")[1]
        for wanted in ("0-9", "5-", "-3", "0-0", "9999999-", "5-2", "0-1,3-4"):
            facts, said = curl("-H", f"Range: bytes={wanted}", f"{at}{KEYS}")
            assert (facts == ["200"] and said == whole) or facts in (["206"], ["416"]), (at, wanted, facts)


@case
def odd_methods():
    """what a path does not do is 405 with Allow, what nobody knows 501, and TRACE echoes nothing"""
    for at in EVERYWHERE:
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            facts, said = curl("-X", method, "-i", f"{at}/v1/auth/login")
            assert facts == ["405"] and b"allow: post" in said.lower(), (at, method, facts)
        for method in ("PROPFIND", "BREW", "LOCK", "TRACE", "get"):
            facts, said = curl("-X", method, "-H", "X-Canary: sings", f"{at}{KEYS}")
            assert facts[0] in ("400", "405", "501") and b"sings" not in said, (at, method, facts)


@case
def paths():
    """a path cannot climb out, and what is between services stays there"""
    for path in ("/internal/cards/patients/1", "/v1/../internal/cards/patients/1", "/v1/%2e%2e/internal/cards/patients/1", "//internal/cards/patients/1",
                 "/docs/../../../etc/passwd", "/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/docs/..%5c..%5cetc%5cpasswd", "/metrics", "/.env", "/%00"):
        for at in (PLAIN, SECURE):
            facts, said = curl(f"{at}{path}")
            assert facts[0] in ("400", "401", "404") and b"root:" not in said, (at, path, facts)


@case
def refusals_are_problems():
    """whoever refuses, the answer is a problem document"""
    for at in EVERYWHERE:
        for arguments in ((f"{at}/v1/users",), (f"{at}/v1/auth/nothing",), ("-X", "DELETE", f"{at}/v1/auth/login"), (*JSON, "--data-binary", "{", f"{at}/v1/auth/login"),
                          ("-H", "Content-Type: text/plain", "--data-binary", "x", f"{at}/v1/auth/login")):
            facts, said = curl(*arguments, write="%{http_code} %{content_type}")
            status, kind = facts[0].split(" ", 1)
            assert status.startswith("4") and kind.startswith("application/problem+json") and str(json.loads(said)["status"]) == status, (arguments, facts, said)


@case
def large_heads():
    """a head of 40 KB is refused without harm"""
    for at, version in ((AUTH, "--http1.1"), (PLAIN, "--http1.1"), (SECURE, "--http1.1"), (SECURE, "--http2")):
        # Over HTTP/2 nginx ends the connection instead (18 and 92 are curl's words for that).
        facts, _ = curl(version, "-H", "X-Long: " + "a" * 40_000, f"{at}{KEYS}", may_fail=(18, 92) if version == "--http2" else ())
        assert facts[0] in ("400", "431", "494", *(("000",) if version == "--http2" else ())), (at, facts)
        assert curl(f"{at}{KEYS}")[0] == ["200"]


@case
def repeated_keys():
    """one Idempotency-Key over HTTP/1.1 and HTTP/2 is one patient"""
    token = Clinic().as_("reception").token
    person = json.dumps({"name": "Curl Conformance", "birthDate": "1990-01-01", "phone": "9876543210"})
    key = str(uuid.uuid4())
    said = {curl(*JSON, "-H", f"Authorization: Bearer {token}", "-H", f"Idempotency-Key: {key}", version, "--data-binary", person, f"{at}/v1/patients")[1]
            for at, version in ((PLAIN, "--http1.1"), (SECURE, "--http1.1"), (SECURE, "--http2"))}
    assert len(said) == 1 and b'"id"' in next(iter(said)), said


if __name__ == "__main__":
    main()
