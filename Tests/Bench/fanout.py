"""One change, many listeners: the waiting room's screens (server-sent events, queue) and notices (WebSocket, notifications)."""
import statistics
import subprocess
import time
import urllib.request
import uuid

from clients import built
from drive import NAN
from jobs import queue
from machine import cpu, rss
from report import number
from stage import REPEATS, say

ROUNDS = max(5, REPEATS)
NOTICE = "insert into notifications.notice (id, kind, subject_id, role, at, event_id) values (gen_random_uuid(), 'stock_ran_low', gen_random_uuid(), 'reception', now(), gen_random_uuid())"


class Listeners:
    """The client's process: `round` returns the moment at which the last of all has heard."""

    def __init__(self, stage, kind, service, path, count):
        token = stage.door.as_("reception").token
        self.process = subprocess.Popen([built(), "listen", kind, f"127.0.0.1:{stage.port(service)}", path, token, str(count)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise SystemExit(f"bench: the listeners said '{line}' instead of '{word}': are enough descriptors allowed (ulimit -Hn)?")

    def round(self, change):
        self.process.stdin.write("go\n")
        self.expect("listening")
        began = change()
        last, heard = map(int, self.process.stdout.readline().split())
        return (last / 1e6 - began) * 1000 if last else None, heard

    def end(self):
        self.process.kill()
        self.process.wait()


def arrival(stage):
    """A walk-in through the API; the clock starts before it is sent."""
    doctor = stage.psql("select id from scheduling.provider order by id limit 1")
    desk, patients = stage.door.as_("reception"), iter(stage.psql("select id from clinical.patient where active limit 200").split())

    def change():
        began = time.time()
        desk.post("/v1/queue/walk-in", {"patientId": next(patients), "providerId": doctor}, key=str(uuid.uuid4()))
        return began
    return change


def notice(stage):
    """A notice committed with the word that wakes the hubs; the clock starts right before the commit."""
    def change():
        return float(stage.psql(f"{NOTICE}; select pg_notify('notifications_live', ''); select extract(epoch from clock_timestamp())").split()[-1])
    return change


def ready(url):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            return urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"bench: {url} did not come true within 20 s")


def once(stage, kind, service, path, count, change):
    say(f"fanout: {count:,} listeners by {kind}")
    # A new process, so that its memory is that of these listeners.
    stage.stack("stop", service)
    stage.stack("start", service)
    ready(f"{stage.health(service)}/readyz")
    pid = stage.pid(service)
    empty = rss(pid)
    listeners = Listeners(stage, kind, service, path, count)
    try:
        time.sleep(1)
        stage.settle(20)
        before, took, missed = cpu(pid), [], 0
        for _ in range(ROUNDS):
            last, heard = listeners.round(change)
            missed += count - heard
            if last is not None:
                took.append(last)
            time.sleep(0.3)
        if missed:
            say(f"fanout: {kind} FAILED: {missed:,} times a listener of {count:,} did not hear within 20 s, in {ROUNDS - len(took)} of {ROUNDS} rounds")
        spent = (cpu(pid) - before) / ROUNDS / count
        return {"kind": kind, "count": count, "last": statistics.median(took) if took else NAN, "most": NAN if missed else max(took), "cpu": spent, "rss": rss(pid), "empty": empty,
                "missed": missed, "rounds": ROUNDS - len(took)}
    finally:
        listeners.end()
        stage.settle(20)


def missed(run):
    return f"**{run['missed']:,} in {run['rounds']} of {ROUNDS} rounds**" if run["missed"] else "0"


def measure(stage):
    queue.waiting(stage, 1, queue.DOCTORS)
    walk_in, committed, runs = arrival(stage), notice(stage), []
    for count in (1_000, 10_000):
        runs.append(once(stage, "sse", "queue", "/v1/queue/display/events", count, walk_in))
        runs.append(once(stage, "ws", "notifications", "/v1/notifications/live", count, committed))
    names = {"sse": "server-sent events, a waiting room's screen (queue)", "ws": "WebSocket, a notice (notifications)"}
    lines = [f"| {names[r['kind']]} | {r['count']:,} | {number(r['last'])} | {number(r['most'])} | {r['cpu']:.1f} | {r['rss']:.1f} | {(r['rss'] - r['empty']) * 1024 / r['count']:.1f} | {missed(r)} |" for r in runs]
    text = f"""## Fan-out

One change, {ROUNDS} times: from sending the walk-in (screens), or from right before the commit (notices), until the last listener has it. The listeners
are one Go process on the same two cores. Who has not heard after 20 s has missed it: such a round has no time, and the bench fails. No peer does this job.

| | listeners | last one has it, ms | slowest round, ms | server µs for each message | RSS MiB | KiB a listener | missed |
|---|--:|--:|--:|--:|--:|--:|--:|
""" + "\n".join(lines)
    found = {f"rss_{r['kind']}_{r['count']}": r["rss"] for r in runs} | {f"last_{r['kind']}_{r['count']}": r["last"] for r in runs}
    return {**found, "missed": sum(r["missed"] for r in runs), "text": text}
