"""The private stack that the bench runs on: its processes, its database, its people."""
import json
import os
import pathlib
import subprocess
import sys
import time

from machine import cpu

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Journeys"))
from clinic import Clinic  # noqa: E402

SERVICES = ["auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal"]


def setting(name, default):
    return int(os.environ.get(name, default))


PATIENTS, SLOTS = setting("BENCH_PATIENTS", 100_000), setting("BENCH_SLOTS", 1_000_000)
SECONDS, REPEATS = setting("BENCH_SECONDS", 3), setting("BENCH_REPEATS", 3)
# A second before each run that changes something, which does not count: the relay looks once a second while nothing happens, so
# whoever does not wake it would be measured without what their facts set off.
WARM = 1


BEGAN = time.monotonic()


def say(text):
    spent = int(time.monotonic() - BEGAN)
    print(f"▸ {spent // 60:2}:{spent % 60:02}  {text}", file=sys.stderr, flush=True)


class Stage:
    """One stack. `up` starts it with everything on that protects a user, fsync included."""

    def __init__(self, base=None, home=None):
        self.base = base or setting("BENCH_PORT_BASE", 28080)
        self.home = pathlib.Path(home or os.environ.get("BENCH_HOME", ROOT / ".local" / "bench"))
        self.work = self.home / "work"
        self.variables = {**os.environ, "POLYCLINIC_PORT_BASE": str(self.base), "POLYCLINIC_HOME": str(self.home)}

    def stack(self, *arguments):
        done = subprocess.run([ROOT / "deploy/local/stack", *arguments], env=self.variables, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"bench: `stack {' '.join(arguments)}` failed; its logs are in {self.home}/data/log and {self.home}/build.log")
        return done.stdout

    def up(self):
        self.work.mkdir(parents=True, exist_ok=True)
        self.stack("up")
        self.env = dict(line.split("=", 1) for line in self.stack("env").splitlines())
        self.settings = dict(line.split("=", 1) for line in pathlib.Path(self.env["POLYCLINIC_DATA"], "env", "clinical").read_text().splitlines())
        tcp = f"@127.0.0.1:{self.settings['POSTGRES_PORT']}"
        # The services' way to Postgres is a unix socket, so pgbench's is too.
        self.socket = self.env["POSTGRES_URL"].replace(tcp, "@") + f"?host={self.settings['POSTGRES_HOST']}&port={self.settings['POSTGRES_PORT']}"
        self.door = Clinic(self.env["POLYCLINIC_URL"])
        self.tenant, self.location = self.psql("select tenant_id || ' ' || id from auth.location order by id limit 1").split()
        # Commit times tell what an event took by one clock; they cost 12 bytes of memory a transaction.
        if self.psql("show track_commit_timestamp") == "off":
            self.psql("alter system set track_commit_timestamp = on")
            self.stack("stop", "postgres")
            self.stack("start", "postgres")
            self.stack("up")
        return self

    def down(self):
        self.stack("down")

    def pid(self, name):
        return int(pathlib.Path(self.env["POLYCLINIC_PIDS"], f"{name}.pid").read_text())

    def port(self, service):
        return self.base + 1 + SERVICES.index(service)

    def health(self, service):
        return f"http://127.0.0.1:{self.port(service) + 10}"

    def psql(self, sql, input=None):
        """As the superuser, for the bench's own preparations and counts; `app.tenant` is set, so defaults work."""
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.env["POSTGRES_URL"]]
        if hasattr(self, "tenant"):
            words += ["-c", f"set app.tenant = '{self.tenant}'"]
        done = subprocess.run([*words, "-c", sql], input=input, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: SQL of the bench failed: {done.stderr.strip()[:600]}\n{sql[:400]}")
        return done.stdout.strip("\n")

    def copy(self, table, rows):
        self.psql(f"copy {table} from stdin", input="".join(rows))

    def bindings(self):
        """What the broker sends where: a dictionary for each binding."""
        return json.loads(self.stack("rabbitmqctl", "-p", "polyclinic", "--formatter", "json", "list_bindings"))

    def file(self, name, text):
        path = self.work / name
        path.write_text(text)
        return path

    def processes(self):
        return {name: self.pid(name) for name in [*SERVICES, "postgres", "redis", "rabbitmq"]}

    def settle(self, limit=60):
        """Waits until the events of the run before have gone through the stack, so that no run pays for another's."""
        processes, until = self.processes().values(), time.monotonic() + limit
        before = sum(map(cpu, processes))
        while time.monotonic() < until:
            time.sleep(0.5)
            now = sum(map(cpu, processes))
            if now - before < 75_000:
                return
            before = now
        say(f"the stack is still busy after {limit} s; going on")

    def rested(self):
        """What loading left is on the disk, so that it is not written while requests wait for their own writes."""
        self.psql("checkpoint")
        os.sync()
        self.settle()


def as_json(value):
    return json.dumps(value, separators=(",", ":"))
