"""The schedule of faults: all of it follows from the seed, before the first one is done."""
import os
import random
import signal
import subprocess
import threading
import time

SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting")
RESPITE = {"rabbitmq": 10, "postgres": 3}  # seconds between two faults of one server
BEHIND = ("postgres", "redis", "rabbitmq")


def plan(seed, seconds):
    """Lanes of (at, what, victim, how long or how much): services, the servers behind them, the network, the clocks."""
    rng = random.Random(f"{seed}/faults")
    return (services(rng, seconds), servers(rng, seconds), network(random.Random(f"{seed}/network"), seconds),
            clocks(random.Random(f"{seed}/clocks"), seconds))


def services(rng, seconds):
    steps, order, at = [], [], 1.0  # everybody is a victim before anybody is one again
    while at < seconds:
        order = order or rng.sample(SERVICES, k=len(SERVICES))
        what = rng.choices(("kill", "freeze", "stop"), (8, 1, 1))[0]
        steps.append((at, what, order.pop(), rng.choice((0, 0, 0.3, 1.5))))
        at += rng.uniform(0.8, 2.2)
    return steps


def servers(rng, seconds):
    steps, order, at = [], [], 3.0
    while at < seconds:
        order = order or rng.sample((*BEHIND, "flush"), k=4)
        victim = order.pop()
        what = "flush" if victim == "flush" else rng.choices(("kill", "freeze"), (4, 1))[0]
        steps.append((at, what, "redis" if victim == "flush" else victim, rng.choice((0, 1, 3))))
        at += rng.uniform(3, 7)
    return steps


def network(rng, seconds):
    steps, at = [], 0.5
    while at < seconds:
        what = rng.choices(("before-commit", "after-commit", "answer", "request", "reset", "blackhole", "latency", "bytes"),
                           (4, 4, 4, 2, 2, 1, 2, 2))[0]
        if what in ("before-commit", "after-commit"):
            steps.append((at, what, f"postgres.{rng.choice(SERVICES)}", rng.randrange(1, 4)))
        elif what in ("answer", "request"):
            steps.append((at, what, "http", rng.randrange(1, 6)))
        elif what == "bytes":
            steps.append((at, what, rng.choice((f"postgres.{rng.choice(SERVICES)}", "redis", "rabbitmq")), rng.randrange(1, 50_000)))
        else:
            victim = rng.choice((f"postgres.{rng.choice(SERVICES)}", "redis", "rabbitmq", f"peer.{rng.choice(SERVICES)}"))
            steps.append((at, what, victim, rng.uniform(0.005, 0.05) if what == "latency" else rng.uniform(0.5, 2.5)))
        at += rng.uniform(0.3, 1.2)
    return steps


def clocks(rng, seconds):
    """Five minutes off for a while, an hour for a moment: never two services at once, and always back again."""
    steps, at = [], 2.0
    while at < seconds - 4:
        off, lasts = rng.choice(((300, 4), (-300, 4), (3600, 2), (-3600, 2)))
        steps.append((at, "clock", rng.choice(SERVICES), (off, lasts)))
        at += lasts + rng.uniform(2, 5)
    return steps


class Faults:
    def __init__(self, env, history, stage=None):
        self.env, self.history, self.stage = env, history, stage
        self.count, self.cuts, self.up = {}, {}, {}

    def run(self, lanes):
        """Starts the lanes; returns their threads."""
        threads = [threading.Thread(target=self.lane, args=(lane,), daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        return threads

    def lane(self, steps):
        for at, what, victim, extent in steps:
            # A broker needs its time to be found again; one that is killed as it comes up was never there.
            time.sleep(max(0.0, at - self.history.now(), self.up.get(victim, 0) + RESPITE.get(victim, 0) - self.history.now()))
            try:
                self.do(what, victim, extent)
                self.up[victim] = self.history.now()
            except Exception as problem:  # a fault that cannot be done is told, and the run goes on
                self.history.problem(f"the fault {what} {victim} could not be done: {problem!r}")

    def do(self, what, victim, extent):
        self.history.event(what, victim)
        self.count[(what, victim)] = self.count.get((what, victim), 0) + 1
        if what in ("before-commit", "after-commit", "answer", "request"):
            self.stage.network.do(what, victim, times=extent)
        elif what == "bytes":
            self.stage.network.do(what, victim, bytes=extent)
        elif what in ("reset", "blackhole", "latency"):
            self.stage.network.do(what, victim, **({"seconds": extent} if what == "latency" else {}))
            if what != "reset":
                time.sleep(1.5 if what == "latency" else extent)
                self.stage.network.do("heal", victim)
        elif what == "clock":
            self.clock(victim, *extent)
        elif what == "flush":
            port = self.env["TEST_REDIS_PORT"]
            subprocess.run(["redis-cli", "-p", port, "-a", self.env["TEST_REDIS_PASSWORD"], "--no-auth-warning", "FLUSHALL"],
                           check=False, capture_output=True, timeout=20)
        elif what == "freeze":
            pid = self.pid(victim)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(max(0.5, extent))
            os.kill(pid, signal.SIGCONT)
        else:
            self.end(what, victim, extent)

    def clock(self, victim, off, lasts):
        self.history.clock_wrong_until = self.history.now() + lasts + 1
        self.stage.set_clock(victim, off)
        time.sleep(lasts)
        self.stage.set_clock(victim, 0)

    def end(self, what, victim, away):
        pid = self.pid(victim)
        # The postmaster's children would outlive it for a moment and keep its memory.
        family = [pid, *self.children(pid)] if what == "kill" else [pid]
        for one in family:
            try:
                os.kill(one, signal.SIGKILL if what == "kill" else signal.SIGTERM)
            except ProcessLookupError:
                pass
        # Until init has buried it, when it is Postgres: a postmaster's lock counts even while its owner is a zombie.
        until = time.monotonic() + 30
        while any(self.is_there(one, victim in SERVICES) for one in family) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(away)
        self.start(victim)

    @staticmethod
    def is_there(pid, is_dead_enough):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return not (is_dead_enough and file.read().rsplit(")", 1)[1].split()[0] == "Z")
        except OSError:
            return False

    def start(self, victim):
        if victim in SERVICES:
            return self.spawn(victim)
        for _ in range(3):
            done = subprocess.run([self.env["POLYCLINIC_STACK"], "start", victim], capture_output=True, text=True, timeout=150)
            if done.returncode == 0:
                return
        raise RuntimeError(done.stderr.strip()[-300:])

    def spawn(self, service):
        """As `stack start` does, without asking again what has been settled: a thousand times, that is time."""
        data, pids = self.env["POLYCLINIC_DATA"], self.env["POLYCLINIC_PIDS"]
        with open(f"{data}/env/{service}", encoding="utf-8") as file:
            settings = [line for line in file.read().splitlines() if line]
        owner = os.stat(pids)
        become = ["setpriv", f"--reuid={owner.st_uid}", "--clear-groups"] if os.getuid() == 0 else []
        subprocess.run([*become, "setsid", "--fork", "bash", "-c", 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "${@:2}" >>"$1" 2>&1 </dev/null',
                        f"{pids}/{service}.pid", f"{data}/log/{service}.log", "env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8",
                        *settings, f"{data}/bin/{service}", "serve"], check=True, timeout=20)

    def pid(self, name):
        with open(f"{self.env['POLYCLINIC_PIDS']}/{name}.pid", encoding="ascii") as file:
            return int(file.read())

    @staticmethod
    def children(pid):
        found = []
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
        return found
