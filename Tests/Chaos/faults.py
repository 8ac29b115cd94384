"""The schedule of faults: all of it follows from the seed, before the first one is done."""
import os
import random
import signal
import subprocess
import threading
import time

SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")


def plan(seed, seconds):
    """Two lanes of (at, what, victim, how long it stays away): services, and the servers behind them."""
    rng = random.Random(f"{seed}/faults")
    services, servers, at = [], [], 1.0
    # Everybody is a victim before anybody is one again.
    order = []
    while at < seconds:
        order = order or rng.sample(SERVICES[:-1], k=len(SERVICES) - 1)
        what = rng.choices(("kill", "freeze", "stop"), (8, 1, 1))[0]
        services.append((at, what, order.pop(), rng.choice((0, 0, 0.3, 1.5))))
        at += rng.uniform(0.8, 2.2)
    at, order = 3.0, []
    while at < seconds:
        order = order or rng.sample(("postgres", "rabbitmq", "redis", "flush"), k=4)
        victim = order.pop()
        what = "flush" if victim == "flush" else rng.choices(("kill", "freeze"), (4, 1))[0]
        servers.append((at, what, "redis" if victim == "flush" else victim, rng.choice((0, 1, 3))))
        at += rng.uniform(3, 7)
    return services, servers


class Faults:
    def __init__(self, env, history):
        self.env, self.history = env, history
        self.count = {}

    def run(self, lanes):
        """Starts the lanes; returns their threads."""
        threads = [threading.Thread(target=self.lane, args=(lane,), daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        return threads

    def lane(self, steps):
        for at, what, victim, away in steps:
            time.sleep(max(0.0, at - self.history.now()))
            try:
                self.do(what, victim, away)
            except Exception as problem:  # a fault that cannot be done is told, and the run goes on
                self.history.problem(f"the fault {what} {victim} could not be done: {problem}")

    def do(self, what, victim, away):
        self.history.event(what, victim)
        self.count[(what, victim)] = self.count.get((what, victim), 0) + 1
        if what == "flush":
            port = self.env["TEST_REDIS_PORT"]
            subprocess.run(["redis-cli", "-p", port, "-a", self.env["TEST_REDIS_PASSWORD"], "--no-auth-warning", "FLUSHALL"],
                           check=False, capture_output=True, timeout=20)
            return
        pid = self.pid(victim)
        if what == "freeze":
            os.kill(pid, signal.SIGSTOP)
            time.sleep(max(0.5, away))
            os.kill(pid, signal.SIGCONT)
            return
        # The postmaster's children would outlive it for a moment and keep its memory.
        family = [pid, *self.children(pid)] if what == "kill" else [pid]
        for one in family:
            try:
                os.kill(one, signal.SIGKILL if what == "kill" else signal.SIGTERM)
            except ProcessLookupError:
                pass
        # Until init has buried it: a postmaster's lock counts even while its owner is a zombie.
        until = time.monotonic() + 30
        while any(os.path.exists(f"/proc/{one}") for one in family) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(away)
        self.start(victim)

    def start(self, victim):
        for _ in range(3):
            done = subprocess.run([self.env["POLYCLINIC_STACK"], "start", victim], capture_output=True, text=True, timeout=150)
            if done.returncode == 0:
                return
        raise RuntimeError(done.stderr.strip()[-300:])

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
