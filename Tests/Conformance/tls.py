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
import threading
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
    node = {"HOME": f"{env['POLYCLINIC_DATA']}/rabbitmq", "ERL_EPMD_PORT": str(BASE + 36), "RABBITMQ_NODENAME": f"polyclinic{BASE}@localhost",
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "RABBITMQ_CONFIG_FILE": f"{env['POLYCLINIC_DATA']}/rabbitmq/rabbitmq.conf"}
    said = subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "-n", node["RABBITMQ_NODENAME"], "--formatter", "json", "list_connections", "user", "ssl",
                           "ssl_protocol"], env=node, capture_output=True, text=True, timeout=60, check=True).stdout
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


class Impostor(threading.Thread):
    """Stands where a server is expected, with this certificate, and notes whether anybody told it anything behind TLS."""

    def __init__(self, certificate, is_postgres):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
        self.is_postgres, self.tried, self.told = is_postgres, 0, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
                plain.settimeout(10)
                if self.is_postgres:  # SSLRequest
                    assert plain.recv(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
                    plain.sendall(b"S")
                with self.context.wrap_socket(plain, server_side=True) as line:
                    self.told += line.recv(1000)
            except (ssl.SSLError, ConnectionError, TimeoutError):
                pass
            except OSError:
                return
            self.tried += 1


def certificate(folder, name, authority, alternative, days):
    """A certificate of `authority` for a name; of no days: it is over at once."""
    at = folder / name
    run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{at}.key", "-out", f"{at}.csr", "-subj", f"/CN={name}")
    (folder / "names").write_text(f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth\n")
    run("x509", "-req", "-in", f"{at}.csr", "-CA", authority / "ca.crt", "-CAkey", authority / "ca.key", "-CAcreateserial", "-CAserial", f"{at}.srl",
        "-days", str(days), "-out", f"{at}.crt", "-extfile", folder / "names")
    return at


def a_service_tells_nothing_to_an_impostor(env):
    """a service says not a word to a Postgres or broker whose certificate is another authority's, for another name, or over"""
    data, folder = pathlib.Path(env["POLYCLINIC_DATA"]), ROOT / ".local/tls/impostors"
    (folder / "other").mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "deploy/local/certificates", folder / "other", "gateway"], check=True, capture_output=True)
    ours, loopback = data / "secrets", "DNS:localhost,IP:127.0.0.1"
    kinds = {"good": certificate(folder, "good", ours, loopback, 2), "another authority": certificate(folder, "stranger", folder / "other", loopback, 2),
             "another name": certificate(folder, "elsewhere", ours, "DNS:somebody.else", 2), "over": certificate(folder, "over", ours, loopback, 0)}
    variables = dict(line.split("=", 1) for line in (data / "env/billing").read_text().splitlines())
    while subprocess.run(["openssl", "x509", "-checkend", "0", "-noout", "-in", f"{kinds['over']}.crt"], capture_output=True).returncode == 0:
        time.sleep(0.05)  # its last second
    for kind, at in kinds.items():
        for who, port, is_postgres in (("Postgres", "POSTGRES_PORT", True), ("the broker", "AMQP_PORT", False)):
            impostor = Impostor(at, is_postgres)
            changed = {port: str(impostor.port), "PORT": "0", "HEALTH_PORT": "0"}
            process = subprocess.Popen([data / "bin/billing", "serve"], env=variables | changed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                until = time.monotonic() + 30
                while impostor.tried < (1 if kind == "good" else 2):
                    assert time.monotonic() < until, f"{kind}: {who} was tried {impostor.tried} times"
                    time.sleep(0.05)
            finally:
                process.kill()
                process.wait()
                impostor.listener.close()
            assert bool(impostor.told) == (kind == "good"), f"{kind}: {who} was told {impostor.told[:60]!r}"
    print(f"    {', '.join(k for k in kinds if k != 'good')}: nothing; a good one: the startup message, AMQP")


CASES = [postgres_sees_tls_only, postgres_refuses_a_plain_client, the_broker_sees_tls_only, the_broker_refuses_a_plain_client, redis_speaks_tls_only,
         stunnel_believes_only_the_right_name, a_service_tells_nothing_to_an_impostor]

if __name__ == "__main__":
    began, failed = time.monotonic(), 0
    try:
        stack("up")
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
