"""Who stands where Postgres or the broker is expected, and is not who they should be, is told nothing (S14)."""
import pathlib
import socket
import ssl
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVERS = {"Postgres": "POSTGRES", "the broker": "AMQP"}


class Impostor(threading.Thread):
    """Has this certificate, and notes what anybody told it behind TLS."""

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
                if self.is_postgres and plain.recv(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f":  # SSLRequest
                    plain.sendall(b"S")
                with self.context.wrap_socket(plain, server_side=True) as line:
                    self.told += line.recv(1000)
            except (ssl.SSLError, ConnectionError, TimeoutError):
                pass
            except OSError:
                return
            self.tried += 1


@pytest.fixture(scope="module")
def certificates(env, tmp_path_factory):
    """The authority that services are told of, and certificates by kind."""
    folder = tmp_path_factory.mktemp("impostors")
    for name in ("ours", "other"):
        (folder / name).mkdir()
        subprocess.run([ROOT / "deploy/local/certificates", folder / name, "gateway"], check=True, capture_output=True)
    loopback = "DNS:localhost,IP:127.0.0.1"
    kinds = {"good": certificate(folder, "good", "ours", loopback, 2), "another authority": certificate(folder, "stranger", "other", loopback, 2),
             "another name": certificate(folder, "elsewhere", "ours", "DNS:somebody.else", 2), "over": certificate(folder, "over", "ours", loopback, 0)}
    while subprocess.run(["openssl", "x509", "-checkend", "0", "-noout", "-in", f"{kinds['over']}.crt"], capture_output=True).returncode == 0:
        time.sleep(0.05)  # its last second
    return folder / "ours/ca.crt", kinds


def certificate(folder, name, authority, alternative, days):
    """A certificate of `authority` for a name; of no days: it is over at once."""
    at, authority = folder / name, folder / authority
    run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)  # noqa: E731
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{at}.key", "-out", f"{at}.csr", "-subj", f"/CN={name}")
    (folder / "names").write_text(f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth\n")
    run("x509", "-req", "-in", f"{at}.csr", "-CA", authority / "ca.crt", "-CAkey", authority / "ca.key", "-CAcreateserial", "-CAserial", f"{at}.srl",
        "-days", str(days), "-out", f"{at}.crt", "-extfile", folder / "names")
    return at


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("kind", ["good", "another authority", "another name", "over"])
def test_a_service_tells_its_name_and_password_only_to_a_certificate_that_is_good(env, certificates, kind, server):
    authority, kinds = certificates
    impostor = Impostor(kinds[kind], server == "Postgres")
    data, what = pathlib.Path(env["POLYCLINIC_DATA"]), SERVERS[server]
    variables = dict(line.split("=", 1) for line in (data / "env/billing").read_text().splitlines())
    variables |= {f"{what}_HOST": "localhost", f"{what}_PORT": str(impostor.port), f"{what}_CA_FILE": str(authority), "PORT": "0", "HEALTH_PORT": "0"}
    process = subprocess.Popen([data / "bin/billing", "serve"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not impostor.told if kind == "good" else impostor.tried < 2:
            assert time.monotonic() < until, f"{server} was tried {impostor.tried} times"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
        impostor.listener.close()
    assert bool(impostor.told) == (kind == "good"), f"{kind}: {server} was told {impostor.told[:60]!r}"
