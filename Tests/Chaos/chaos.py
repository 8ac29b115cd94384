"""`make chaos`: people go on working while everything under them is killed; then the record is checked.

The seed decides the schedule of faults and each client's choices. What the threads of a computer do in between it
does not decide: run a seed again when it found something, and more than once.
"""
import argparse
import datetime
import os
import subprocess
import sys
import threading
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Journeys")]
import psycopg  # noqa: E402

import checks  # noqa: E402
import clients  # noqa: E402
import drills  # noqa: E402
import faults  # noqa: E402
import stage as stages  # noqa: E402
from clinic import Clinic, Site, new_doctor, stack_environment, today, unique  # noqa: E402
from history import History  # noqa: E402


def say(text):
    print(text, flush=True)


def prepare(env, front, seed, history):
    """The people, the slots that everybody wants, and a medicine that runs out; returns what each thread runs."""
    site = Site(Clinic(env["POLYCLINIC_URL"]))
    doctors = [new_doctor(site.admin, f"Dr. Chaos {i}") for i in range(5)]
    for _, provider in doctors[:4]:
        site.admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(today()),
                                           "to": str(today() + datetime.timedelta(days=1)), "start": "00:00", "end": "23:45",
                                           "slotMinutes": 15}, key=unique())
    hot = [s["id"] for s in site.reception.get(
        f"/v1/slots?providerId={doctors[3][1]['id']}&date={today() + datetime.timedelta(days=1)}&status=free&limit=8")["items"]]
    medicine = site.pharmacist.post("/v1/inventory/medicines", {
        "name": unique("Chaosamol"), "form": "tablet", "unitPrice": {"amount": 1180, "currency": "INR"}, "taxPercent": 12,
        "reorderLevel": 20}, key=unique()).json["id"]
    for days, quantity in ((20, 40), (200, 60)):
        site.pharmacist.post("/v1/inventory/batches", {"medicineId": medicine, "lotNumber": unique("LOT"), "quantity": quantity,
                                                       "expiryDate": str(today() + datetime.timedelta(days=days))}, key=unique())
    patients = [site.reception.post("/v1/patients", {"name": "Chaos Regular", "birthDate": "1970-01-01", "phone": f"+9197{n:08d}"},
                                    key=unique())["id"] for n in range(10)]
    world = clients.World(site, doctors[4], hot, medicine, patients)

    def desk(name, clinic):
        return clients.Desk(Clinic(front, clinic.token), name, clients.person(seed, name), history)

    stop = threading.Event()
    walks = []
    for i, (client, provider) in enumerate(doctors[:3]):
        people = [desk(f"{role}{i}", c) for role, c in (("reception", site.reception), ("doctor", client), ("pharmacist", site.pharmacist))]
        walks.append((clients.journeys, (world, *people, provider["id"], stop)))
    walks += [(clients.bookings, (world, desk(f"booker{i}", site.reception), stop)) for i in range(4)]
    client, provider = doctors[4]
    walks.append((clients.arrivals, (world, desk("arrivals", site.reception), provider["id"], stop)))
    walks += [(clients.calls, (world, desk(f"caller{i}", client), provider["id"], stop)) for i in range(2)]
    return walks, stop


def work(walk, arguments, history):
    try:
        walk(*arguments)
    except clients.GaveUp as gave_up:
        history.problem(str(gave_up))
    except Exception as problem:  # a mistake of the walk: it must not pass as a quiet client
        history.problem(f"{walk.__name__} ended with {problem!r}")


def run(env, stage, seed, seconds, settle, lanes=None, counts=None):
    """Returns (what is wrong, a summary). `lanes` are the faults, those of the seed when None; they are counted in `counts`."""
    folder = os.path.join(os.environ.get("POLYCLINIC_HOME", os.path.join(HERE, "..", "..", ".local")), "chaos")
    os.makedirs(folder, exist_ok=True)
    history = History(os.path.join(folder, f"history-{seed}.jsonl"))
    if not stages.is_healthy(env):
        return ["the stack is not healthy before the run"], ""
    walks, stop = prepare(env, stage.front, seed, history)
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        left = checks.settle(database, env["AMQP_ADMIN_URL"], 30)
        if left:
            return [f"the stack was not quiet before the run: {left}"], ""
        before = checks.differences(database)
        parked = checks.depths(env["AMQP_ADMIN_URL"])
        # Two hours back: what a service with a wrong clock writes seems older than the run.
        since = database.execute("select clock_timestamp() - interval '2 hours'").fetchone()[0]
        known = checks.rows(database)
    history.began = time.monotonic()
    threads = [threading.Thread(target=work, args=(walk, arguments, history), daemon=True) for walk, arguments in walks]
    for thread in threads:
        thread.start()
    breaking = faults.Faults(env, history, stage)
    running = breaking.run(faults.plan(seed, seconds) if lanes is None else lanes)
    time.sleep(seconds)
    for lane in running:
        lane.join(timeout=200)
    stop.set()
    cut = stage.network.do("heal", "*")
    breaking.cuts = {what: n - stage.cut.get(what, 0) for what, n in cut.items() if n > stage.cut.get(what, 0)}
    stage.cut = cut
    for thread in threads:
        thread.join(timeout=clients.PATIENCE * 3)
        if thread.is_alive():
            history.problem("a client did not come to its end")
    say(f"  faults and clients ended after {history.now():.0f} s; waiting for what is on its way")
    if counts is not None:
        counts.update(kinds(breaking))
    wrong = check(env, history, since, known, before, parked, settle)
    history.close()
    return wrong, summary(history, breaking)


def check(env, history, since, known, before, parked, settle):
    if not stages.is_healthy(env):
        return ["R8: the stack does not become healthy again"]
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        began = time.monotonic()
        left = checks.settle(database, env["AMQP_ADMIN_URL"], settle)
        say(f"  quiet after another {time.monotonic() - began:.0f} s")
        wrong = [f"R2: still on its way after {settle} s: {left}"] if left else []
        # The last acknowledged message may still be committing its effect's effect.
        for _ in range(20):
            found = checks.record(database, since, before)
            if not found:
                break
            time.sleep(0.5)
        now = checks.depths(env["AMQP_ADMIN_URL"])
        wrong += [f"R2: parked: {q}: {n}" for q, n in now.items() if q.endswith(".parking") and n != parked.get(q)]
        return wrong + found + checks.history(history, database, known)


def kinds(breaking):
    """How many faults of each kind were done."""
    found = Counter()
    for (what, victim), count in breaking.count.items():
        found["service " + what if victim in faults.SERVICES else f"{victim.split('.')[0]} {what}"] += count
    return found


def summary(history, breaking):
    kills = kinds(breaking)
    cuts = ", ".join(f"{n} × {what}" for what, n in sorted(breaking.cuts.items()))
    done = Counter(o["what"] for o in history.operations if o["status"] in (200, 201))
    unknown = sum(1 for o in history.operations if o["unknown"])
    return (f"  faults: {', '.join(f'{n} × {k}' for k, n in sorted(kills.items()))}\n"
            f"  connections cut at such a moment: {cuts or 'none'}\n"
            f"  {len(history.attempts)} requests for {len(history.operations)} operations, {unknown} of them asked again"
            f" without knowing: {', '.join(f'{n} × {k}' for k, n in sorted(done.items()))}\n"
            f"  answers: {dict(sorted(Counter(str(a['status']) for a in history.attempts).items()))}")


# Seeds that found something once, or come close to it; each run takes one more, which nobody has seen.
KNOWN = (101, 102)


def fresh_seed():
    """Another one for each day and each commit, and the same one for everybody."""
    commit = subprocess.run(["git", "rev-parse", "--short=6", "HEAD"], cwd=HERE, capture_output=True, text=True).stdout.strip()
    return int(datetime.date.today().strftime("%y%m%d")) * 1000 + int(commit or "0", 16) % 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="these seeds only, and no drills")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--settle", type=float, default=60, help="how long facts may take to arrive afterwards")
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--drill", action="append", choices=[drill.__name__ for drill in drills.ALL], help="these drills only, and no seeds")
    parser.add_argument("--check", action="store_true", help="only say whether this can be asked, before anybody builds a stack for it")
    options = parser.parse_args()
    if options.check:
        return 0
    env, bad = stack_environment(), 0
    with stages.Stage(env) as stage:
        if not options.drill:
            # CI repeats what is known: whether a change lands is no matter of chance. New seeds are for people.
            for seed in options.seed or [*KNOWN, *([] if os.environ.get("CI") else [fresh_seed()])]:
                bad += bool(round_of(env, stage, seed, options))
        if not options.seed:
            say("drills, one fault at a time")
            wrong = drills.run(env, stage, faults.Faults(env, None, stage), options.drill or ())
            bad += bool(wrong)
    return 1 if bad else 0


def round_of(env, stage, seed, options):
    began = time.monotonic()
    say(f"seed {seed}: {options.seconds:.0f} s of faults (again: make chaos SEED={seed} SECONDS={options.seconds:.0f})")
    wrong, told = run(env, stage, seed, options.seconds, options.settle, [] if options.no_faults else None)
    say(told)
    for one in wrong[:40]:
        say(f"  ✗ {one}")
    say(f"seed {seed}: {'every promise held' if not wrong else f'{len(wrong)} PROMISES BROKEN'}, {time.monotonic() - began:.0f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
