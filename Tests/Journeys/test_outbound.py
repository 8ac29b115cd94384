"""What leaves goes to who was named and to nobody inside (S8): auth with other gateways of messages than the stack's own."""
import contextlib
import http.server
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from clinic import unique


class Door(threading.Thread):
    """Listens on every address of this machine, counts who comes, and lets nobody in."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("0.0.0.0", 0))
        self.port, self.knocks = self.listener.getsockname()[1], 0
        self.start()

    def run(self):
        while True:
            try:
                visitor, _ = self.listener.accept()
            except OSError:
                return
            self.knocks += 1  # before it is closed: whoever sees the end of the connection sees the knock
            visitor.close()


@pytest.fixture()
def inside():
    door = Door()
    yield door
    door.listener.close()


@pytest.fixture()
def auth_with(env, stack, admin, tmp_path):
    """Runs auth in place of the stack's own, changed; gives a function that waits until its log says something."""
    def answers():
        admin.eventually("/v1/auth/me", lambda _: True)

    @contextlib.contextmanager
    def run(**changed):
        data, log = pathlib.Path(env["POLYCLINIC_DATA"]), tmp_path / "auth.log"
        variables = dict(line.split("=", 1) for line in (data / "env/auth").read_text().splitlines())
        stack("stop", "auth")
        with open(log, "wb") as out:
            process = subprocess.Popen([data / "bin/auth", "serve"], env=variables | changed, stdout=out, stderr=out)

        def says(words):
            until = time.monotonic() + 30
            while words not in (text := log.read_text()):
                assert process.poll() is None and time.monotonic() < until, text[-2000:]
                time.sleep(0.05)
        try:
            answers()
            yield says
        finally:
            process.kill()
            process.wait()
            stack("start", "auth")
            answers()
    return run


@pytest.fixture()
def ask_for_a_code(door, admin):
    tenant = admin.get("/v1/auth/me")["tenantId"]

    def ask():
        door.post("/v1/auth/sign-up", {
            "tenantId": tenant, "contact": f"{unique('outbound')}@patients.example", "name": "Out Bound", "password": "quay lamp seven rivers"}, expect=202)
    return ask


@pytest.mark.parametrize("spelling", ["0.0.0.0", "127.1", "2130706433", "0x7f000001"])
def test_no_code_knocks_inside_however_the_address_is_spelt(auth_with, ask_for_a_code, inside, spelling):
    with auth_with(AUTH_MESSAGE_URL=f"https://{spelling}:{inside.port}/") as says:
        ask_for_a_code()
        says("message gateway is inside")
    assert inside.knocks == 0


@pytest.mark.parametrize("status", [302, 307])
def test_a_gateway_that_sends_us_elsewhere_is_not_followed(auth_with, ask_for_a_code, inside, status):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{inside.port}/inside")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    gateway = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    try:
        with auth_with(AUTH_MESSAGE_URL=f"http://127.0.0.1:{gateway.server_address[1]}/messages") as says:
            ask_for_a_code()
            says("message not ")
    finally:
        gateway.shutdown()
        gateway.server_close()
    assert inside.knocks == 0
