"""What is put between and under the processes so that it can be broken: the fault proxy, clocks, small disks.

`Stage` points the running services at the proxy and at clocks of their own by their environment files, and puts both
back in the end. Disks are mounted by `Tests/run chaos` before the stack starts, because Postgres is made on one.
"""
import os
import shutil
import struct
import subprocess
import time
import urllib.parse

import psycopg

from clinic import Clinic
from proxy import Network

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")


class CannotBreak(Exception):
    """A fault that cannot be made on this machine, and why."""


class Stage:
    def __init__(self, env):
        self.env = env
        self.data = env["POLYCLINIC_DATA"]
        self.base = int(urllib.parse.urlsplit(env["POLYCLINIC_URL"]).port)
        self.front = f"http://127.0.0.1:{self.base + 40}"
        self.saved = {}
        self.network = None
        self.cut = {}  # what the proxy had cut when somebody last asked

    def routes(self):
        found = {"http": ("http", self.base + 40, ("127.0.0.1", self.base)),
                 "redis": ("raw", self.base + 41, ("127.0.0.1", int(self.env["TEST_REDIS_PORT"]))),
                 "rabbitmq": ("raw", self.base + 42, ("127.0.0.1", int(self.env["TEST_AMQP_PORT"])))}
        for i, service in enumerate(SERVICES):
            found[f"postgres.{service}"] = ("postgres", self.base + 50 + i, ("127.0.0.1", int(self.env["TEST_POSTGRES_PORT"])))
            found[f"peer.{service}"] = ("raw", self.base + 60 + i, ("127.0.0.1", self.base + 1 + i))
        return found

    def __enter__(self):
        os.makedirs(f"{self.data}/run/clock", exist_ok=True)
        os.chmod(f"{self.data}/run/clock", 0o755)
        skew = f"{self.data}/run/clock/skew.so"
        built = subprocess.run([shutil.which("clang") or "cc", "-O2", "-shared", "-fPIC", "-o", skew, os.path.join(HERE, "skew.c"), "-ldl"],
                               capture_output=True, text=True)
        if built.returncode:
            raise CannotBreak(f"clocks cannot be skewed, because skew.c does not compile here: {built.stderr[-300:]}")
        with psycopg.connect(self.env["POSTGRES_URL"], autocommit=True) as database:
            database.execute("alter system set max_wal_size = '512MB'")  # its disk is small
            database.execute("select pg_reload_conf()")
        self.network = Network(self.routes())
        for service in SERVICES:
            self.set_clock(service, 0)
            self.point(service)
        self.restart()
        return self

    def point(self, service, proxied=True):
        """What the service is told from its next start on: to go through the proxy, or not, and which clock is its own."""
        path, i = f"{self.data}/env/{service}", SERVICES.index(service)
        if path not in self.saved:
            with open(path, encoding="utf-8") as file:
                self.saved[path] = file.read()
        peers = ",".join(f"{s}=http://127.0.0.1:{self.base + 60 + n}" for n, s in enumerate(SERVICES))
        lines = [f"LD_PRELOAD={self.data}/run/clock/skew.so", f"SKEW_FILE={self.data}/run/clock/{service}"]
        if proxied:
            lines += ["POSTGRES_HOST=127.0.0.1", f"POSTGRES_PORT={self.base + 50 + i}", f"REDIS_PORT={self.base + 41}",
                      f"AMQP_PORT={self.base + 42}", f"SERVICE_URLS={peers}"]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([self.saved[path].rstrip("\n"), *lines, ""]))

    def __exit__(self, *_):
        for path, text in self.saved.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.restart()
        self.network.close()

    def restart(self):
        for verb in ("kill", "start"):
            for running in [subprocess.Popen([self.env["POLYCLINIC_STACK"], verb, s], stdout=subprocess.DEVNULL) for s in SERVICES]:
                running.wait()

    # MARK: clocks

    def set_clock(self, service, seconds):
        """The service's wall clock is that much off from now on; its monotonic clock never is."""
        path = f"{self.data}/run/clock/{service}"
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:  # in place: it is mapped
            file.write(struct.pack("=q", seconds))
        os.chmod(path, 0o644)

    # MARK: disks

    def disk(self, server):
        """The folder of a server, when it is a disk of its own."""
        folder = f"{self.data}/{server}"
        if not os.path.ismount(folder):
            raise CannotBreak(f"{folder} is not a disk of its own: only root can mount one, so the disk of {server} was not filled")
        return folder

    def fill(self, server, leaving=0):
        """Makes the disk as small as what is on it, and `leaving` bytes more."""
        folder = self.disk(server)
        told = os.statvfs(folder)
        used = (told.f_blocks - told.f_bfree) * told.f_frsize
        self.resize(folder, used + leaving)

    def free(self, server):
        self.resize(self.disk(server), int(os.environ.get("CHAOS_DISK_BYTES", 3 << 30)))

    @staticmethod
    def resize(folder, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True, capture_output=True)

    def rabbitmqctl(self, *arguments):
        done = subprocess.run([self.env["POLYCLINIC_STACK"], "rabbitmqctl", *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {(done.stdout + done.stderr).strip()[-300:]}")


def is_healthy(env, seconds=60):
    """Whether it is, or becomes so in time."""
    clinic, until = Clinic(env["POLYCLINIC_URL"]), time.monotonic() + seconds
    while True:
        try:
            if clinic.call("GET", "/health").status == 200:
                return True
        except OSError:
            pass
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
