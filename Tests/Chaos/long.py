"""`make chaos-long`: for an hour, in turns, until the promises' numbers are reached: what it did so far is kept, and goes on.

    R1     bookings fought over, 100,000 attempts      `--r1-attempts`
    R2     kills: 1,000 of services, 50 of the broker, 20 of Postgres   `--service-kills --broker-kills --postgres-kills`
    seeds  all faults together, one new seed each      for the time that is left
    drills one fault at a time, once

`--only r1` (kills, seeds, drills) does one of them; `--fresh` forgets what earlier runs did.
"""
import argparse
import json
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Journeys")]
import psycopg  # noqa: E402

import chaos  # noqa: E402
import checks  # noqa: E402
import dense  # noqa: E402
import drills  # noqa: E402
import faults  # noqa: E402
import stage as stages  # noqa: E402
from clinic import stack_environment  # noqa: E402

KINDS = ("service kill", "rabbitmq kill", "postgres kill")


class Totals:
    """What was done so far, in a file."""

    def __init__(self, path, fresh):
        self.path = path
        self.kept = {"seed": 1000, "r1 attempts": 0, "rounds": 0, "seconds": 0, "drills": 0, "faults": {}, "wrong": []}
        if os.path.exists(path) and not fresh:
            with open(path, encoding="utf-8") as file:
                self.kept.update(json.load(file))

    def add(self, seconds, counts, wrong):
        self.kept["seconds"] += round(seconds)
        for what, n in counts.items():
            self.kept["faults"][what] = self.kept["faults"].get(what, 0) + n
        self.kept["wrong"] += wrong
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.kept, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def seed(self):
        self.kept["seed"] += 1
        return self.kept["seed"]

    def done(self, kind):
        return self.kept["faults"].get(kind, 0)

    def line(self):
        return (f"so far {self.kept['r1 attempts']} attempts (R1), " + ", ".join(f"{self.done(k)} × {k}" for k in KINDS)
                + f" (R2), {self.kept['rounds']} rounds, {len(self.kept['wrong'])} promises broken")


def killing(seed, seconds, wanted):
    """Lanes that do nothing but kill: each service every few seconds, the broker and Postgres as often as is still wanted."""
    rng = random.Random(f"{seed}/killing")
    lanes = []
    for victims in (faults.SERVICES[::2], faults.SERVICES[1::2]):
        lane, at = [], 1.0
        while at < seconds and sum(map(len, lanes)) + len(lane) < wanted["service kill"]:
            lane.append((at, "kill", rng.choice(victims), 0))
            at += rng.uniform(0.7, 1.3)
        lanes.append(lane)
    for victim, apart in (("rabbitmq", 25), ("postgres", 30)):
        times = [5 + apart * n + rng.uniform(0, 5) for n in range(int((seconds - 10) / apart))][:max(0, wanted[f"{victim} kill"])]
        lanes.append([(at, "kill", victim, 0) for at in times])
    return lanes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--r1-attempts", type=int, default=100_000)
    parser.add_argument("--service-kills", type=int, default=1000)
    parser.add_argument("--broker-kills", type=int, default=50)
    parser.add_argument("--postgres-kills", type=int, default=20)
    parser.add_argument("--round", type=float, default=300, help="seconds of one round")
    parser.add_argument("--only", choices=("r1", "kills", "seeds", "drills"))
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    env = stack_environment()
    folder = os.environ.get("POLYCLINIC_HOME", os.path.join(HERE, "..", "..", ".local"))
    os.makedirs(folder, exist_ok=True)
    totals = Totals(os.path.join(folder, "long.json"), options.fresh)
    began, before = time.monotonic(), len(totals.kept["wrong"])
    with stages.Stage(env) as stage:
        run = Long(env, stage, totals, options, began + options.minutes * 60)
        try:
            run.go()
        except KeyboardInterrupt:
            print("interrupted; what was done is kept")
    print(totals.line())
    print("faults in all: " + ", ".join(f"{n} × {what}" for what, n in sorted(totals.kept["faults"].items())))
    return 1 if len(totals.kept["wrong"]) > before else 0


class Long:
    def __init__(self, env, stage, totals, options, until):
        self.env, self.stage, self.totals, self.options, self.until = env, stage, totals, options, until

    def go(self):
        turns = [t for t in (self.r1, self.kills, self.drills, self.seeds) if self.options.only in (None, t.__name__)]
        while turns and time.monotonic() < self.until:
            # The numbers first; new seeds are for the time that is left.
            for turn in [t for t in turns if t != self.seeds] or list(turns):
                if time.monotonic() > self.until:
                    break
                if not turn():
                    turns.remove(turn)
                left = max(0, self.until - time.monotonic())
                print(f"── {self.totals.line()}; {left // 60:.0f} min {left % 60:.0f} s left", flush=True)

    def tell(self, seconds, counts, wrong):
        for one in wrong[:20]:
            print(f"  ✗ {one}", flush=True)
        self.totals.add(seconds, counts, wrong)

    def r1(self):
        """A part of the attempts; False when there are enough."""
        wanted = min(20_000, self.options.r1_attempts - self.totals.kept["r1 attempts"])
        if wanted <= 0:
            return False
        seed, began = self.totals.seed(), time.monotonic()
        stages.is_healthy(self.env)
        with psycopg.connect(self.env["POSTGRES_URL"], autocommit=True) as database:
            checks.settle(database, self.env["AMQP_ADMIN_URL"], 60)
            before = checks.differences(database)
            breaking = faults.Faults(self.env, None, self.stage)
            self.stage.point("scheduling", proxied=False)  # from its first kill on: the proxy would be what limits it
            attempts, kills, wrong, told = dense.run(self.env, breaking, seed, wanted)
            self.stage.point("scheduling")
            breaking.end("kill", "scheduling", 0)
            print(f"seed {seed}: {told}", flush=True)
            stages.is_healthy(self.env)
            left = checks.settle(database, self.env["AMQP_ADMIN_URL"], 120)
            wrong += [f"R2: still on its way: {left}"] if left else []
            wrong += checks.record(database, "2000-01-01", before)
        self.totals.kept["r1 attempts"] += attempts
        self.tell(time.monotonic() - began, {"service kill": kills}, wrong)
        return True

    def kills(self):
        wanted = {k: getattr(self.options, o) - self.totals.done(k)
                  for k, o in zip(KINDS, ("service_kills", "broker_kills", "postgres_kills"))}
        if max(wanted.values()) <= 0:
            return False
        seed = self.totals.seed()
        return self.round(seed, killing(seed, self.options.round, wanted))

    def seeds(self):
        return self.round(self.totals.seed(), None)

    def round(self, seed, lanes):
        began = time.monotonic()
        print(f"seed {seed}: {self.options.round:.0f} s of {'kills' if lanes else 'all faults'}", flush=True)
        counts = {}
        wrong, told = chaos.run(self.env, self.stage, seed, self.options.round, 120, lanes, counts)
        print(told, flush=True)
        self.totals.kept["rounds"] += 1
        self.tell(time.monotonic() - began, counts, [f"seed {seed}: {one}" for one in wrong])
        return True

    def drills(self):
        began = time.monotonic()
        wrong = drills.run(self.env, self.stage, faults.Faults(self.env, None, self.stage))
        self.totals.kept["drills"] += len(drills.ALL)
        self.tell(time.monotonic() - began, {}, wrong)
        return False


if __name__ == "__main__":
    sys.exit(main())
