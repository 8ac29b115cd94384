#!/usr/bin/env python3
"""The whole suite where no server takes a plain connection: what is really spoken, and what a plain client gets.

    Tests/Conformance/run tls      brings that stack up beside this one (POLYCLINIC_TLS=1), walks the demo, asks the servers, ends it
"""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACK = ROOT / "deploy/local/stack"
SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")
HERE = dict(os.environ)
for name in [n for n in HERE if n.startswith(("POLYCLINIC_", "TEST_")) or n.endswith("_URL")]:
    if name != "POLYCLINIC_CONFIGURATION":
        del HERE[name]
BASE = int(os.environ.get("TLS_PORT_BASE") or int(os.environ.get("POLYCLINIC_URL", ":8080").rsplit(":", 1)[1]) + 200)
HERE |= {"POLYCLINIC_TLS": "1", "POLYCLINIC_PORT_BASE": str(BASE), "POLYCLINIC_HOME": str(ROOT / ".local/tls")}


def stack(*words):
    done = subprocess.run([STACK, *words], env=HERE, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"  stack {' '.join(words)}: {done.stdout[-300:]}{done.stderr[-600:]}")
    return done.stdout


def query(env, statement):
    return subprocess.run(["psql", "-XAtF", "|", env["POSTGRES_URL"], "-c", statement], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def postgres_sees_tls_only(env):
    """every session of a service comes over TCP by TLS 1.2 or 1.3, and each service has one"""
    rows = [r.split("|") for r in query(env, """
        select usename, coalesce(client_addr::text, 'socket'), coalesce(ssl, false), coalesce(version, '') from pg_stat_activity
        left join pg_stat_ssl using (pid) where usename like 'polyclinic\\_%'""")]
    plain = [r for r in rows if r[1] == "socket" or r[2] != "t" or r[3] not in ("TLSv1.2", "TLSv1.3")]
    print(f"    {len(rows)} sessions of {len({r[0] for r in rows})} services: {sorted({r[3] for r in rows})}")
    assert not plain, plain
    assert {f"polyclinic_{s}" for s in SERVICES if s != "portal"} <= {r[0] for r in rows}, rows


def postgres_refuses_a_plain_client(env):
    """the right password without TLS is refused"""
    done = subprocess.run(["psql", "-XAt", env["POSTGRES_URL"] + "?sslmode=disable", "-c", "select 1"], capture_output=True, text=True)
    assert done.returncode and "no encryption" in done.stderr, done.stderr


def the_broker_sees_tls_only(env):
    """every connection is TLS 1.2 or 1.3, and each service has one"""
    said = stack("rabbitmqctl", "--formatter", "json", "list_connections", "user", "ssl", "ssl_protocol")
    rows = json.loads(said)
    print(f"    {len(rows)} connections of {len({r['user'] for r in rows})} services: {sorted({str(r['ssl_protocol']) for r in rows})}")
    assert all(r["ssl"] is True and r["ssl_protocol"] in ("tlsv1.2", "tlsv1.3") for r in rows), rows
    assert {f"polyclinic_{s}" for s in SERVICES if s != "portal"} <= {r["user"] for r in rows}, rows


def the_broker_refuses_a_plain_client(env):
    """nobody listens for plain AMQP, and plain AMQP said to the TLS port is not answered in AMQP"""
    try:
        socket.create_connection(("127.0.0.1", BASE + 34), 2).close()
        raise AssertionError("the plain port is open")
    except ConnectionRefusedError:
        pass
    with socket.create_connection(("127.0.0.1", BASE + 37), 5) as broker:
        broker.sendall(b"AMQP\x00\x00\x09\x01")
        assert not broker.recv(100).startswith((b"\x01", b"AMQP"))


def redis_speaks_tls_only(env):
    """Redis itself answers no plain client; through stunnel every service reaches it"""
    with socket.create_connection(("127.0.0.1", BASE + 33), 5) as redis:
        redis.settimeout(5)
        redis.sendall(b"PING\r\n")
        try:
            answer = redis.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith((b"+", b"-")), answer
    context = ssl.create_default_context(cafile=env["POLYCLINIC_CA"])
    with socket.create_connection(("127.0.0.1", BASE + 33), 5) as plain, context.wrap_socket(plain, server_hostname="localhost") as redis:
        redis.sendall(f"AUTH {env['TEST_REDIS_PASSWORD']}\r\nCLIENT LIST TYPE normal\r\n".encode())
        said = b""
        while b"\r\n\r\n" not in said and b"cmd=client" not in said:
            said += redis.recv(65536)
    clients = [l for l in said.decode().splitlines() if l.startswith("id=")]
    assert clients and all(f"laddr=127.0.0.1:{BASE + 33}" in c for c in clients), clients
    reached = {}
    until = time.monotonic() + 20
    while True:
        for n, service in enumerate(SERVICES):
            text = urllib.request.urlopen(f"http://127.0.0.1:{BASE + 11 + n}/metrics", timeout=5).read().decode()
            reached[service] = "polyclinic_redis_up 1" in text
        if all(reached.values()):
            break
        assert time.monotonic() < until, reached
        time.sleep(0.2)
    print(f"    {len(clients)} connections, all by TLS; {len(reached)} services reach it")


def stunnel_believes_only_the_right_name(env):
    """with a wrong name expected of Redis, stunnel hands nothing on"""
    config = (pathlib.Path(env["POLYCLINIC_DATA"]) / "redis/stunnel.conf").read_text()
    assert "checkHost = localhost" in config
    other = ROOT / ".local/tls/wrong-name.conf"
    other.write_text(config.replace("checkHost = localhost", "checkHost = somebody.else").replace(str(BASE + 39), str(BASE + 40)))
    process = subprocess.Popen(["stunnel4", str(other)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while True:
            try:
                door = socket.create_connection(("127.0.0.1", BASE + 40), 5)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until
                time.sleep(0.05)
        with door:
            door.settimeout(10)
            door.sendall(b"PING\r\n")
            try:
                assert door.recv(10) == b""
            except ConnectionResetError:
                pass
    finally:
        process.terminate()
        process.wait(10)


CASES = [postgres_sees_tls_only, postgres_refuses_a_plain_client, the_broker_sees_tls_only, the_broker_refuses_a_plain_client, redis_speaks_tls_only,
         stunnel_believes_only_the_right_name]

if __name__ == "__main__":
    began, failed = time.monotonic(), 0
    try:
        stack("reset")  # what an older tree left there is not what is asked
        environment = dict(line.split("=", 1) for line in stack("env").splitlines())
        demo = subprocess.run([sys.executable, ROOT / "Tests/Journeys/demo.py"], env={**HERE, **environment}, capture_output=True, text=True)
        if demo.returncode:
            sys.exit(f"  the demo failed: {demo.stdout[-500:]}{demo.stderr[-500:]}")
        print(f"  up, seeded and the demo walked after {time.monotonic() - began:.0f} s")
        for case in CASES:
            try:
                case(environment)
                print(f"  {case.__doc__}")
            except AssertionError as reason:
                failed += 1
                print(f"  NOT: {case.__doc__}: {str(reason)[:600]}")
    finally:
        if os.environ.get("KEEP") != "1":
            stack("down")
    print(f"  {len(CASES) - failed} of {len(CASES)} cases")
    sys.exit(1 if failed else 0)
