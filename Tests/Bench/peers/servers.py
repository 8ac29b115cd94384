"""Builds, starts and stops the peers: the same jobs written in Go and in Python, on the tables of the same stack."""
import os
import pathlib
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
LOCAL = HERE.parents[2] / ".local" / "peers"  # Tests/Bench/bench makes the venv there
ROLES = ("auth", "clinical", "scheduling", "queue", "billing", "pharmacy")


class Peer:
    def __init__(self, name, command, port, environment):
        self.name, self.url, self.log = name, f"http://127.0.0.1:{port}", LOCAL / f"{name}.log"
        if self.lives():
            raise SystemExit(f"bench: port {port} (for the peer {name}) is taken; set BENCH_PORT_BASE to another number")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **environment, "PORT": str(port)}, cwd=HERE, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while not self.lives():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise SystemExit(f"bench: the peer {name} did not start; read {self.log}")
            time.sleep(0.05)

    pid = property(lambda self: self.process.pid)

    def lives(self):
        try:
            urllib.request.urlopen(self.url + "/livez", timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()


def address(stage, role):
    """The service's own login over its own unix socket, row-level security enforced."""
    password = pathlib.Path(stage.env["POLYCLINIC_DATA"], "secrets", f"postgres_{role}").read_text().strip()
    return "postgresql:///polyclinic?" + urllib.parse.urlencode({
        "host": stage.settings["POSTGRES_HOST"], "port": stage.settings["POSTGRES_PORT"], "user": f"polyclinic_{role}", "password": password})


def start(stage, names):
    """Every peer of `names` whose tools are installed."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    environment = {name: stage.settings[name] for name in ("MASTER_KEY_FILE", "JWT_PUBLIC_KEYS_FILE", "JWT_PRIVATE_KEY_FILE", "PASSWORD_PEPPER_FILE", "INDEX_KEY_FILE")}
    environment |= {f"PEER_{role.upper()}_URL": address(stage, role) + f"&search_path={role},public" for role in ROLES}
    commands = {}
    if "Go" in names and shutil.which("go") and pathlib.Path("/usr/share/gocode/src/github.com/jackc/pgx/v4").exists():
        # As Debian builds: its own packages, no modules, no network.
        built = subprocess.run(["go", "build", "-o", LOCAL / "go-peer", "."], cwd=HERE / "go", capture_output=True, text=True, env={
            **os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOCACHE": str(LOCAL / "gocache")})
        if built.returncode:
            raise SystemExit(f"bench: the Go peer does not compile:\n{built.stderr[-2000:]}")
        commands["Go"] = (LOCAL / "go-peer",), stage.base + 60
    if "FastAPI" in names and (LOCAL / "venv/bin/uvicorn").exists():
        commands["FastAPI"] = (LOCAL / "venv/bin/uvicorn", "main:app", "--app-dir", HERE / "fastapi", "--host", "127.0.0.1", "--port", str(stage.base + 61),
                               "--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"), stage.base + 61
    started = []
    for name, (command, port) in commands.items():
        try:
            started.append(Peer(name, command, port, environment))
        except BaseException:
            stop(started)
            raise
    return started


def stop(peers):
    for peer in peers:
        peer.stop()
