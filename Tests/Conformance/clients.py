#!/usr/bin/env python3
"""Clients that are slow, cautious or old: deadlines, Expect: 100-continue, chunked bodies, HTTP/1.0, HEAD, pipelines."""
import json
import subprocess
import threading
import time

from wire import GATEWAY, PORTS, Clinic, answers, case, connect, everything, exchange, main, statuses

AUTH = PORTS["auth"]
LOGIN = json.dumps({"email": "reception@demo.example", "password": "Polyclinic-demo-2026"}).encode()


def curl(*arguments, port=AUTH, path="/v1/auth/login", data=LOGIN):
    """The statuses curl saw, in order, interim ones too."""
    result = subprocess.run(
        ["curl", "-sS", "-m", "10", "-o", "/dev/null", "-D", "-", "-H", "Content-Type: application/json", "--data-binary", "@-",
         *arguments, f"http://127.0.0.1:{port}{path}"], input=data, capture_output=True)
    assert result.returncode == 0, f"curl failed: {result.stderr.decode()}"
    return statuses(result.stdout)


@case
def expect_continue():
    """curl with Expect: 100-continue is told to continue and answered"""
    for port in (AUTH, GATEWAY):
        got = curl("-H", "Expect: 100-continue", "--expect100-timeout", "5", port=port)
        assert got in ([100, 200], [200]), f"{got} at {port}"


@case
def expect_refused():
    """an expectation nobody knows is 417"""
    assert curl("-H", "Expect: 200-ok") == [417]


@case
def chunked():
    """curl with a chunked body is answered, at a service and through nginx"""
    for port in (AUTH, GATEWAY):
        assert curl("-H", "Transfer-Encoding: chunked", port=port) == [200], port


@case
def old_version():
    """HTTP/1.0 is answered and closed"""
    assert curl("--http1.0") == [200]
    got, closed, said = exchange(AUTH, b"GET /v1/users HTTP/1.0\r\n\r\n")
    assert got == [401] and closed and b"chunked" not in said.lower(), (got, closed)


@case
def too_large():
    """a body of 2 MB is 413 before it is sent, and while it is sent in chunks"""
    big = b'{"email":"' + b"a" * 2_000_000 + b'"}'
    got, closed, _ = exchange(AUTH, b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(big))
    assert got == [413] and closed, (got, closed)
    chunks = b"".join(b"%x\r\n%s\r\n" % (65536, b"a" * 65536) for _ in range(32)) + b"0\r\n\r\n"
    got, closed, _ = exchange(AUTH, b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert got == [413] and closed, (got, closed)


@case
def head():
    """HEAD is GET without the content"""
    got, _, said = exchange(AUTH, b"HEAD /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head_only, _, rest = said.partition(b"\r\n\r\n")
    assert got == [200] and rest == b"" and b"content-length" in head_only.lower(), said


@case
def pipeline():
    """fifty pipelined requests are answered in order"""
    stream = b"".join(
        b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n" if i % 2 else b"GET /v1/users HTTP/1.1\r\nHost: a\r\n\r\n"
        for i in range(50))
    got, _, _ = exchange(AUTH, stream)
    assert got == [401, 200] * 25, got


@case
def byte_by_byte():
    """a request that comes byte by byte is a request"""
    with connect(AUTH) as sock:
        for byte in b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert statuses(everything(sock)[0]) == [200]


def drip(start, part, seconds, results, name):
    """Sends `start`, then `part` twice a second, until the server has had enough."""
    with connect(AUTH, timeout=60) as sock:
        began = time.monotonic()
        sock.sendall(start)
        sock.settimeout(0.5)
        said, closed = b"", False
        while time.monotonic() - began < seconds and not closed:
            try:
                part_of_answer = sock.recv(4096)
                said += part_of_answer
                closed = not part_of_answer
            except TimeoutError:
                try:
                    sock.sendall(part)
                except OSError:
                    closed = True
            except ConnectionResetError:
                closed = True
        results[name] = (statuses(said), closed, time.monotonic() - began)


@case
def slow_clients_are_cut_off():
    """slow heads (10 s) and slow bodies (30 s) get 408 and are cut off, silent ones are closed; others are served at once"""
    results, threads = {}, []
    for i in range(100):
        for name, start, part, limit in (
            (f"head {i}", b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n", 20),
            (f"body {i}", b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", b"a", 45),
        ):
            threads.append(threading.Thread(target=drip, args=(start, part, limit, results, name)))
    for thread in threads:
        thread.start()
    served = 0
    while any(thread.is_alive() for thread in threads):
        assert answers(AUTH), "another client waits behind the slow ones"
        served += 1
        time.sleep(0.5)
    assert served > 10 and len(results) == len(threads)
    for name, (got, closed, seconds) in results.items():
        longest = 14 if name.startswith("head") else 35
        assert got == [408] and closed and seconds < longest, f"{name}: {got}, closed {closed}, after {seconds:.1f} s"


@case
def half_closed():
    """a client that closes its sending half still gets its answer"""
    with connect(AUTH) as sock:
        sock.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n")
        sock.shutdown(1)
        assert statuses(everything(sock)[0]) == [200]


@case
def still_the_clinic():
    """the clinic is open afterwards"""
    assert Clinic().as_("reception").get("/v1/patients?q=As", expect=None).status < 500


if __name__ == "__main__":
    main()
