"""`make bench`: read a patient by id and book a slot at c=32, beside pgbench running the same statements and, with
--peers or BENCH_PEERS=1, beside a Go and a FastAPI server doing the same job on the same tables (README.md).

usage: bench.py [--peers] [load|read|book]…     environment: BENCH_PATIENTS (100000) BENCH_SLOTS (1000000) BENCH_SECONDS (6) BENCH_REPEATS (3)

A private stack on its own ports, with everything on that protects a user: tokens, row-level security, encryption,
audit, outbox, fsync. All are measured in turn within one run, medians of the repeats; wrk, the servers, Postgres
and pgbench share the machine's cores, so read the figures as ratios.
"""
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Journeys"))
from clinic import Clinic, new_doctor, today, unique  # noqa: E402
from machine import cpu, parallel, rss  # noqa: E402
from peers import servers  # noqa: E402

BASE = os.environ.get("BENCH_PORT_BASE", "28080")
HOME = os.environ.get("BENCH_HOME", str(ROOT / ".local" / "bench"))
os.environ.update(POLYCLINIC_PORT_BASE=BASE, POLYCLINIC_HOME=HOME)
PATIENTS, SLOTS = int(os.environ.get("BENCH_PATIENTS", 100_000)), int(os.environ.get("BENCH_SLOTS", 1_000_000))
SECONDS, REPEATS, C = int(os.environ.get("BENCH_SECONDS", 6)), int(os.environ.get("BENCH_REPEATS", 3)), 32
WORK = pathlib.Path(HOME, "work")
SERVICES = ["auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal"]
PEERS = "--peers" in sys.argv or os.environ.get("BENCH_PEERS") == "1"


def stack(*arguments):
    return subprocess.run([ROOT / "deploy/local/stack", *arguments], check=True, capture_output=True, text=True).stdout


def say(text):
    print(f"▸ {text}", file=sys.stderr, flush=True)


def pid(name):
    return int(pathlib.Path(env["POLYCLINIC_PIDS"], f"{name}.pid").read_text())


def psql(sql):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", env["POSTGRES_URL"], "-c", sql], check=True, capture_output=True, text=True).stdout.strip()


def load():
    """100,000 patients and 1,000,000 slots, through the API, once per bench home."""
    admin, reception = door.as_("admin"), door.as_("reception")
    have = int(psql("select count(*) from clinical.patient"))
    if have < PATIENTS:
        say(f"registering {PATIENTS - have} patients through the API")
        dice = random.Random(42)
        given, family = (["".join(dice.choices("bdgklmnrstv", k=1)[0] + dice.choices("aeiou", k=1)[0] for _ in range(dice.randint(2, 4))).title() for _ in range(n)] for n in (2000, 20000))
        body = lambda i: {"name": f"{given[i * 7 % 2000]} {family[i * 13 % 20000]}", "birthDate": f"19{i % 90 + 10}-0{i % 9 + 1}-1{i % 9}", "phone": f"+91{7000000000 + i}", "sex": "female" if i % 2 else "male"}  # noqa: E731
        parallel([lambda i=i: reception.post("/v1/patients", body(i)) for i in range(have, PATIENTS)])
    have = int(psql("select count(*) from scheduling.slot"))
    if have < SLOTS:
        say(f"opening {SLOTS - have} slots")
        doctors = (SLOTS - have) // 30_000 + 1
        jobs = []
        import datetime
        for number in range(doctors):
            _, provider = new_doctor(admin, f"Dr. Bench {number}")
            for chunk in range(4):
                first = today() + datetime.timedelta(days=1 + chunk * 90)
                jobs.append(lambda p=provider, f=first: admin.post("/v1/slots/bulk", {
                    "providerId": p["id"], "from": str(f), "to": str(f + datetime.timedelta(days=89)), "start": "00:00", "end": "23:45", "slotMinutes": 15}, timeout=120))
        parallel(jobs, 4)
    say("vacuum analyze")
    psql("vacuum (analyze)")


def wrk(lua, *arguments):
    script = WORK / "load.lua"
    script.write_text(lua)
    out = subprocess.run(["wrk", "-t1", f"-c{C}", f"-d{SECONDS}s", "--latency", "-s", script, *arguments], check=True, capture_output=True, text=True).stdout
    figures = json.loads(out[out.index("{\"requests\""):].splitlines()[0])
    return figures


REPORT = """
done = function(summary, latency, requests)
    print(string.format('{"requests":%d,"seconds":%.4f,"p50":%.3f,"p99":%.3f,"bad":%d}', summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status + summary.errors.timeout + summary.errors.connect + summary.errors.read))
end
"""


def measured(server, url, lua):
    """One load run with the CPU that the server and Postgres spent in it; not what `lua` needs to write the script."""
    script = lua()
    before = cpu(server), cpu(pid("postgres"))
    figures = wrk(script, url)
    after = cpu(server), cpu(pid("postgres"))
    n = max(1, figures["requests"])
    figures.update(rps=n / figures["seconds"], service=(after[0] - before[0]) / n, postgres=(after[1] - before[1]) / n, rss=rss(server))
    return figures


def settle(limit=60):
    """Waits until the events of the run before have gone through the stack, so that no run pays for another's."""
    processes, until = [pid(name) for name in [*SERVICES, "postgres", "rabbitmq"]], time.monotonic() + limit
    while time.monotonic() < until:
        before = sum(map(cpu, processes))
        time.sleep(1)
        if sum(map(cpu, processes)) - before < 150_000:
            return
    say(f"the stack is still busy after {limit} s; going on")


def beside(peers, lua):
    """The same load on each peer."""
    return {f"{peer.name} peer": lambda peer=peer: measured(peer.pid, peer.url, lua) for peer in peers}


def pgbench(script):
    """The same statements without any server of ours; mind that pgbench takes `:word` for a variable inside quotes too."""
    file = WORK / "script.sql"
    file.write_text(script)
    before = cpu(pid("postgres"))
    out = subprocess.run(["pgbench", "-n", "-M", "prepared", f"-c{C}", "-j1", f"-T{SECONDS}", "-f", file, SOCKET_URL], check=True, stdout=subprocess.PIPE, text=True).stdout
    n = int(re.search(r"actually processed: (\d+)", out)[1])
    return {"rps": float(re.search(r"tps = ([\d.]+)", out)[1]), "p50": float(re.search(r"latency average = ([\d.]+)", out)[1]), "p99": float("nan"),
            "service": float("nan"), "postgres": (cpu(pid("postgres")) - before) / n, "rss": float("nan"), "bad": 0}


def bench_read(peers):
    ids = psql("select id from clinical.patient order by random() limit 50000").split()
    (WORK / "patients").write_text("\n".join(ids))
    port = 4 + int(BASE)

    def lua():
        return f"""
local ids = {{}}
for line in io.lines("{WORK}/patients") do ids[#ids + 1] = line end
local headers = {{ ["Authorization"] = "Bearer {door.as_('reception').token}" }}
request = function() return wrk.format("GET", "/v1/patients/" .. ids[math.random(#ids)], headers) end
""" + REPORT

    tenant = psql("select tenant_id from clinical.patient limit 1")
    psql("create schema if not exists bench; drop table if exists bench.patient; create table bench.patient as select row_number() over () as n, id from clinical.patient; create unique index on bench.patient (n); analyze bench.patient")
    count = psql("select count(*) from bench.patient")
    sql = f"""
\\set n random(1, {count})
\\startpipeline
select set_config('app.tenant', '{tenant}', true);
select id, mrn, location_id, registered_at, active, version, data_key, personal from clinical.patient where id = (select id from bench.patient where n = :n);
\\endpipeline
"""
    return "read a patient by id", {
        "polyclinic (service)": lambda: measured(pid("clinical"), f"http://127.0.0.1:{port}", lua),
        "polyclinic (through nginx)": lambda: measured(pid("clinical"), f"http://127.0.0.1:{BASE}", lua),
        "pgbench, same statements": lambda: pgbench(sql),
        **beside(peers, lua),
    }


# What pgbench announces after the appointment's id. It reaches the other services, who would try a malformed event again and again.
SOME = "0190d3b4-0000-7000-8000-000000000000"
BOOKED = "".join(f'","{name}":"{value}' for name, value in {
    "patientId": SOME, "providerId": SOME, "locationId": SOME, "slotId": SOME, "start": "2026-11-20T09:30:00Z", "end": "2026-11-20T09:45:00Z",
    "localDate": "2026-11-20", "modality": "in_person", "priority": "routine"}.items()) + '"}'
AUDITED = f'","service":"scheduling","action":"book","resource":"appointment","role":"reception","allowed": true,"after":{{"status":"booked","slotId":"{SOME}","patientId":"{SOME}"}}}}'


def bench_book(peers):
    port = 2 + int(BASE)
    need = 9000 * SECONDS

    def fresh():
        settle()
        rows = psql(f"""with free as (select id, row_number() over (order by starts_at, id) as n from scheduling.slot where status = 'free' and starts_at > now() + interval '1 day' order by starts_at, id limit {need}),
            who as (select id, row_number() over (order by random()) as n from clinical.patient limit {need}),
            size as (select count(*) as s from who)
            select free.id || ' ' || who.id from free, size, lateral (select id from who where who.n = (free.n - 1) % s + 1) who""")
        (WORK / "wishes").write_text(rows)
        return rows.splitlines()

    def lua():
        fresh()
        return f"""
local wishes = {{}}
for line in io.lines("{WORK}/wishes") do wishes[#wishes + 1] = line end
local headers = {{ ["Authorization"] = "Bearer {door.as_('reception').token}", ["Content-Type"] = "application/json" }}
local at = 0
request = function()
    at = at + 1
    local slot, patient = string.match(wishes[at] or wishes[#wishes], "(%S+) (%S+)")
    return wrk.format("POST", "/v1/appointments", headers, '{{"slotId":"' .. slot .. '","patientId":"' .. patient .. '"}}')
end
""" + REPORT

    tenant = psql("select tenant_id from clinical.patient limit 1")

    def direct():
        wishes = fresh()
        copy = "\n".join(f"{i + 1}\t" + w.replace(" ", "\t") for i, w in enumerate(wishes))
        psql("create schema if not exists bench; drop table if exists bench.wish; create table bench.wish (n int primary key, slot uuid, patient uuid); drop sequence if exists bench.at; create sequence bench.at cache 1")
        subprocess.run(["psql", "-XAtq", env["POSTGRES_URL"], "-c", "copy bench.wish from stdin"], input=copy, text=True, check=True, capture_output=True)
        psql("analyze bench.wish")
        return pgbench(f"""
begin;
select set_config('app.tenant', '{tenant}', true);
with wish as materialized (select slot, patient from bench.wish where n = (select nextval('bench.at'))), patient as (
    select is_active from scheduling.patient_card where patient_id = (select patient from wish)
), claimed as (
    update scheduling.slot set status = 'booked', version = version + 1
    where id = (select slot from wish) and status = 'free' and starts_at > now() and (select is_active from patient)
      and exists (select from scheduling.provider where provider.id = slot.provider_id and provider.is_active)
    returning id, provider_id, location_id, starts_at, ends_at, local_date
), booked as (
    insert into scheduling.appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, modality, priority, reason, booked_by)
    select gen_random_uuid(), claimed.id, provider_id, wish.patient, location_id, starts_at, ends_at, local_date, 'in_person', 'routine', null, gen_random_uuid()
    from claimed, wish on conflict do nothing returning id
)
select coalesce((select id::text from booked), 'none') as id \\gset
insert into scheduling.outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
select gen_random_uuid(), t, :id::text, 1 - o, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ('{{"' || name || '":"' || :id::text || data)::json, now()
from (values ('scheduling.appointment.booked.v1', 0, 'appointmentId', '{BOOKED}'), ('audit.entry.recorded.v1', 1, 'resourceId', '{AUDITED}')) as fact (t, o, name, data) where :id::text <> 'none';
commit;
""")
    return "book a slot", {
        "polyclinic (service)": lambda: measured(pid("scheduling"), f"http://127.0.0.1:{port}", lua),
        "pgbench, same statements": direct,
        **beside(peers, lua),
    }


def cold_start():
    """exec to the first 200 of /livez and of /readyz, median of three."""
    import urllib.request
    result = {}
    for name in SERVICES:
        lives, readies = [], []
        health = int(BASE) + 11 + SERVICES.index(name)
        for _ in range(3):
            stack("stop", name)
            began = time.perf_counter()
            starter = subprocess.Popen([ROOT / "deploy/local/stack", "start", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            spawned = None
            live = ready = None
            while not ready and time.perf_counter() - began < 20:
                if spawned is None:
                    try:
                        p = pid(name)
                        if os.readlink(f"/proc/{p}/exe").endswith(name):
                            spawned = time.perf_counter()
                    except (OSError, ValueError):
                        continue
                for path in ("livez", "readyz"):
                    try:
                        urllib.request.urlopen(f"http://127.0.0.1:{health}/{path}", timeout=1).read()
                    except OSError:
                        break
                    if path == "livez" and not live:
                        live = time.perf_counter()
                    if path == "readyz":
                        ready = time.perf_counter()
            starter.wait()
            if spawned and live and ready:
                lives.append((live - spawned) * 1000)
                readies.append((ready - spawned) * 1000)
        result[name] = (statistics.median(lives) if lives else float("nan"), statistics.median(readies) if readies else float("nan"))
    return result


def compare(name):
    """Runs one bench and prints its table. The peers start anew for each, so their connections are those of this job only."""
    peers = servers.start(env["POLYCLINIC_DATA"], int(BASE)) if PEERS else []
    try:
        for peer in peers:
            say(f"the {peer.name} peer does the job")
            servers.prove(peer, door.as_("admin"), psql)
        title, runs = {"read": bench_read, "book": bench_book}[name](peers)
        results = {label: [] for label in runs}
        labels = list(runs)
        for repeat in range(REPEATS):
            # Another one begins each time, so that none always follows the same neighbour.
            for label in labels[repeat % len(labels):] + labels[:repeat % len(labels)]:
                say(f"{title}: {label} ({repeat + 1}/{REPEATS})")
                results[label].append(runs[label]())
    finally:
        servers.stop(peers)
    print(f"\n{title}, c={C}, {SECONDS} s × {REPEATS}, medians")
    print(f"  {'':28}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'server µs':>12}{'Postgres µs':>12}{'RSS MiB':>9}{'failed':>8}   spread req/s")
    medians = {}
    for label, rows in results.items():
        m = medians[label] = {k: statistics.median(r[k] for r in rows) for k in ("rps", "p50", "p99", "service", "postgres", "rss")}
        print(f"  {label:28}{m['rps']:9.0f}{m['p50']:9.2f}{m['p99']:9.2f}{m['service']:12.1f}{m['postgres']:12.1f}{m['rss']:9.1f}{sum(r['bad'] for r in rows):8}   "
              f"{min(r['rps'] for r in rows):.0f}–{max(r['rps'] for r in rows):.0f}")
    mine = medians.pop("polyclinic (service)")
    medians.pop("polyclinic (through nginx)", None)
    for label, theirs in medians.items():
        more = "" if label.startswith("pgbench") else "".join(f", {k} {mine[k] / theirs[k]:.2f}" for k in ("p99", "service", "postgres", "rss")).replace("service", "server µs").replace("postgres", "Postgres µs")
        print(f"  service ÷ {label}: req/s {mine['rps'] / theirs['rps']:.2f}{more}")


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    only = [word for word in sys.argv[1:] if word and word != "--peers"]
    load()
    if only == ["load"]:
        return
    idle = {name: rss(pid(name)) for name in SERVICES}
    settle()
    for name in only or ["read", "book"]:
        compare(name)
    if not only:
        loaded = {name: rss(pid(name)) for name in SERVICES}
        starts = cold_start()
        print(f"\n  {'process':16}{'RSS idle MiB':>14}{'RSS after MiB':>15}{'live ms':>9}{'ready ms':>10}")
        for name in SERVICES:
            print(f"  {name:16}{idle[name]:14.1f}{loaded[name]:15.1f}{starts[name][0]:9.0f}{starts[name][1]:10.0f}")
        print(f"  {'sum':16}{sum(idle.values()):14.1f}{sum(loaded.values()):15.1f}")


subprocess.run([ROOT / "deploy/local/stack", "up"], check=True, stdout=subprocess.DEVNULL)
env = dict(line.split("=", 1) for line in stack("env").splitlines())
door = Clinic(env["POLYCLINIC_URL"])
listening = dict(line.split("=", 1) for line in pathlib.Path(env["POLYCLINIC_DATA"], "env", "clinical").read_text().splitlines())
# The services' way to Postgres is a unix socket, so pgbench's is too.
SOCKET_URL = env["POSTGRES_URL"].replace("@127.0.0.1:" + listening["POSTGRES_PORT"], "@") + f"?host={listening['POSTGRES_HOST']}&port={listening['POSTGRES_PORT']}"
try:
    main()
finally:
    if not os.environ.get("BENCH_KEEP"):
        stack("down")
