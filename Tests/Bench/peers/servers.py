"""Builds, starts and proves the peers: the same two jobs written in Go and in Python, on the tables of the same stack."""
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
LOCAL = HERE.parents[2] / ".local" / "peers"  # Tests/Bench/bench makes the venv there


class Peer:
    def __init__(self, name, command, port, environment, log):
        self.name, self.url = name, f"http://127.0.0.1:{port}"
        try:
            urllib.request.urlopen(self.url + "/livez", timeout=1).close()
            raise SystemExit(f"bench: port {port} (for the peer {name}) is taken")
        except OSError:
            pass
        self.process = subprocess.Popen(command, env={**os.environ, **environment, "PORT": str(port)}, cwd=HERE, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + "/livez", timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise SystemExit(f"bench: the peer {name} did not start; read {log.name}") from None
            time.sleep(0.05)

    pid = property(lambda self: self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, token, body=None):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, method=method, headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()


def start(data, base):
    """Every peer whose tools are installed. They log in as the services' roles, over the same unix socket."""
    data, work = pathlib.Path(data), LOCAL
    work.mkdir(parents=True, exist_ok=True)
    settings = dict(line.split("=", 1) for line in (data / "env" / "clinical").read_text().splitlines())
    environment = {name: settings[name] for name in ("MASTER_KEY_FILE", "JWT_PUBLIC_KEYS_FILE")}
    for service in ("clinical", "scheduling"):
        password = (data / "secrets" / f"postgres_{service}").read_text().strip()
        environment[f"PEER_{service.upper()}_URL"] = "postgresql:///polyclinic?" + urllib.parse.urlencode({
            "host": settings["POSTGRES_HOST"], "port": settings["POSTGRES_PORT"], "user": f"polyclinic_{service}", "password": password,
            "search_path": f"{service},public"})
    peers = []
    if shutil.which("go") and pathlib.Path("/usr/share/gocode/src/github.com/jackc/pgx/v4").exists():
        # As Debian builds: its own packages, no modules, no network.
        subprocess.run(["go", "build", "-o", work / "go-peer", "."], cwd=HERE / "go", check=True, env={
            **os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOCACHE": str(work / "gocache")})
        peers.append(("Go", [work / "go-peer"], base + 60))
    if (work / "venv/bin/uvicorn").exists():
        peers.append(("FastAPI", [work / "venv/bin/uvicorn", "main:app", "--app-dir", HERE / "fastapi", "--host", "127.0.0.1", "--port", str(base + 61),
                                  "--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"], base + 61))
    started = []
    for name, command, port in peers:
        with open(work / f"{name}.log", "ab") as log:
            try:
                started.append(Peer(name, command, port, environment, log))
            except BaseException:
                stop(started)
                raise
    return started


def stop(peers):
    for peer in peers:
        peer.stop()


def prove(peer, ours, psql):
    """The peer does the job, before anybody measures it: the same patient to the last member, one booking of one slot, no strangers."""
    patient, slot = psql("""select c.patient_id, s.id from scheduling.patient_card c, scheduling.slot s
        where c.is_active and s.status = 'free' and s.starts_at > now() + interval '2 days' and not exists (
            select from scheduling.appointment a where a.patient_id = c.patient_id and a.starts_at < s.ends_at and a.ends_at > s.starts_at)
        order by s.starts_at desc limit 1""").split("|")
    wish = {"slotId": slot, "patientId": patient}
    record = ours.get(f"/v1/patients/{patient}").json
    facts = f"select count(*) from scheduling.outbox where subject in (select id::text from scheduling.appointment where slot_id = '{slot}')"
    checks = [
        ("reads what we read", lambda: peer.call("GET", f"/v1/patients/{patient}", ours.token) == (200, record)),
        ("refuses a stranger", lambda: peer.call("GET", f"/v1/patients/{patient}", ours.token[:-6] + "AAAAAA")[0] == 401),
        ("knows no other patient", lambda: peer.call("GET", f"/v1/patients/{slot}", ours.token)[0] == 404),
        ("books", lambda: peer.call("POST", "/v1/appointments", ours.token, wish)[0] == 201),
        ("refuses the slot to a second", lambda: peer.call("POST", "/v1/appointments", ours.token, wish)[0] == 409),
        ("made one appointment", lambda: psql(f"select count(*), min(status) from scheduling.appointment where slot_id = '{slot}'") == "1|booked"),
        ("made two facts", lambda: psql(facts) == "2"),
        ("shows us its booking", lambda: [a["slotId"] for a in ours.get(f"/v1/appointments?patientId={patient}&limit=100")["items"]].count(slot) == 1),
    ]
    for what, holds in checks:
        if not holds():
            raise SystemExit(f"bench: the peer {peer.name} is no peer: “{what}” does not hold; read {LOCAL}/{peer.name}.log")
