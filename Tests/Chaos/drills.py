"""One fault at a time, with a clock beside it: what `faults.py` throws together, these look at alone.

Each drill breaks one thing, says what must be true meanwhile and afterwards, and mends it. It returns what was wrong.
"""
import concurrent.futures
import datetime
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Journeys"))
import pika
import psycopg

import checks
import linear
import stage as stages
from clinic import PASSWORD, Clinic, Site, new_doctor, today, unique
from replicas import crowded_desk, drain, hesitation, overload

HEALS = 60  # seconds (R15)


class Drill:
    """The people of one drill, and what it found."""

    def __init__(self, env, stage, faults):
        self.env, self.stage, self.faults, self.network = env, stage, faults, stage.network
        self.site = Site(Clinic(env["POLYCLINIC_URL"]))
        self.wrong, self.told = [], []
        self.calls = 0

    def must(self, holds, text):
        if not holds:
            self.wrong.append(text)
        return holds

    def patient(self, **options):
        return self.ask(self.site.reception, "POST", "/v1/patients", {
            "name": "Drill One", "birthDate": "1980-02-29", "phone": f"+9196{time.time_ns() % 10**8:08d}"}, **options)

    def ask(self, client, method, path, body=None, seconds=None, allowed=(), what=""):
        """One request, which must be answered in time and by one of these statuses (when any are given)."""
        self.calls += 1
        began = time.monotonic()
        try:
            answer = client.call(method, path, body, key=unique() if method == "POST" else None, timeout=30)
        except OSError as problem:
            self.wrong.append(f"{what or path} was not answered at all: {problem!r}")
            return None
        took = time.monotonic() - began
        if seconds is not None:
            self.must(took <= seconds, f"{what or path} took {took:.1f} s, more than {seconds} s")
        if allowed:
            self.must(answer.status in allowed, f"{what or path} was answered {answer.status} {answer.code}, not one of {allowed}")
        answer.took = took
        return answer

    def others(self, *paths, seconds=1.0):
        """What has nothing to do with the fault goes on."""
        for path in paths or (f"/v1/appointments?date={today()}&limit=1", "/v1/queue/display?locationId=" + self.site.location):
            self.ask(self.site.reception, "GET", path, seconds=seconds, allowed=(200,), what=f"unaffected {path.split('?')[0]}")

    def database(self):
        return psycopg.connect(self.env["POSTGRES_URL"], autocommit=True)

    def drains(self, seconds, what):
        """R9: whatever waited in the outboxes arrives."""
        began = time.monotonic()
        with self.database() as database:
            left = checks.settle(database, self.env["AMQP_ADMIN_URL"], seconds)
        self.must(not left, f"{what}: not drained after {seconds} s: {left}")
        self.told.append(f"drained {time.monotonic() - began:.1f} s after")

    def ready(self, service):
        """(status, document) of a service's own readiness."""
        port = self.stage.base + 11 + stages.SERVICES.index(service)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)
        except OSError as problem:
            return 0, {"status": repr(problem)}

    def until(self, condition, seconds):
        """How long it took to come true; None when it did not."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                return None
            time.sleep(0.1)
        return time.monotonic() - began


# MARK: R3, the moment around the commit

def cut_commits(d, times=12):
    """R3, R1: the way to Postgres is cut before the commit arrives, and after it was done but before anybody was told."""
    keys, cut = 0, d.network.do("latency", "postgres.clinical", seconds=0)
    with d.database() as database:
        before = database.execute("select count(*) from clinical.patient").fetchone()[0]
    for moment in ("before-commit", "after-commit"):
        for _ in range(times):
            name, key, until = unique("Cut"), unique("key"), time.monotonic() + 20
            d.network.do(moment, "postgres.clinical")
            while True:
                answer = d.site.reception.call("POST", "/v1/patients", {"name": "Drill Cut", "birthDate": "1980-02-29", "phone": "+919844444444",
                                                                         "address": name}, key=key)
                if answer.status == 201 or time.monotonic() > until:
                    break
                d.must(answer.status in (503, 409), f"a registration cut {moment} was answered {answer.status} {answer.code}")
                time.sleep(0.05)
            d.must(answer.status == 201, f"a registration cut {moment} was never made")
            again = d.site.reception.call("POST", "/v1/patients", {"name": "Drill Cut", "birthDate": "1980-02-29", "phone": "+919844444444",
                                                                    "address": name}, key=key)
            d.must(again.status == 201 and again["id"] == answer["id"], f"the same key made another, cut {moment}")
            keys += 1
    now = d.network.do("heal", "postgres.clinical")
    cuts = {what: n - cut.get(what, 0) for what, n in now.items() if n > cut.get(what, 0)}
    with d.database() as database:
        made = database.execute("select count(*) from clinical.patient").fetchone()[0] - before
    d.must(made == keys, f"{keys} keys made {made} patients")
    d.told.append(f"{keys} keys, {made} patients, {cuts}")


def one_shelf(d, people=10):
    """R6: everybody is handed the same medicine at the same moment, and there is not enough of it."""
    doctor, _ = new_doctor(d.site.admin, "Dr. Shelf")
    till, counter = d.site.reception, d.site.pharmacist
    medicine = counter.post("/v1/inventory/medicines", {"name": unique("Shelfamol"), "form": "tablet", "taxPercent": 12, "reorderLevel": 0,
                                                         "unitPrice": {"amount": 100, "currency": "INR"}}, key=unique())["id"]
    history, began = [], time.monotonic()
    for days, count in ((400, 12), (30, 11), (200, 13)):
        batch = counter.post("/v1/inventory/batches", {"medicineId": medicine, "lotNumber": unique("LOT"), "quantity": count,
                                                       "expiryDate": str(today() + datetime.timedelta(days=days))}, key=unique())["id"]
        history.append(linear.Operation(0, 0, "receive", ((days, batch), count), None))
    wanted = []
    for _ in range(people):
        visit = doctor.post("/v1/visits", {"patientId": d.patient(allowed=(201,))["id"]}, key=unique())["id"]
        wanted.append(doctor.post("/v1/prescriptions", {"visitId": visit, "items": [
            {"medicineId": medicine, "dose": 1, "frequencyPerDay": 1, "durationDays": 5}]}, key=unique())["id"])
        doctor.post(f"/v1/visits/{visit}/complete", expect=200)
        bill = till.post("/v1/invoices", {"visitId": visit, "mode": "AUTO"}, key=unique())["id"]
        till.post(f"/v1/invoices/{bill}/pay", {"method": "CASH"}, key=unique())
    barrier = threading.Barrier(people)

    def hand_out(prescription):
        client = Clinic(counter.url, counter.token)
        client.get("/v1/inventory/medicines?limit=1")
        barrier.wait()
        asked = time.monotonic() - began
        answer = client.call("POST", "/v1/dispensing", {"prescriptionId": prescription}, key=unique())
        return linear.Operation(asked, time.monotonic() - began, "dispense", 5, "short" if answer.code == "insufficient_stock" else tuple(
            (line["batchId"], line["quantity"]) for line in answer["lines"]) if answer.status == 201 else answer.status)
    with concurrent.futures.ThreadPoolExecutor(people) as threads:
        history += threads.map(hand_out, wanted)
    stuck = linear.check(linear.Stock, history)
    d.must(not stuck, f"no order explains what was handed out: {[tuple(o) for o in stuck or ()][:3]}")
    d.told.append(f"{sum(o.what == 'dispense' and o.result != 'short' for o in history)} of {people} served, in an order that first-expired-first explains")


# MARK: R18, a dependency that takes connections and says nothing

def hung_postgres(d):
    """R18: 503 within the deadline of 2 s (and a half for what else a registration does), then at once, and nobody else disturbed."""
    d.network.do("blackhole", "postgres.clinical")
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            answers = [threads.submit(d.patient, seconds=2.5, allowed=(503,), what="a registration without a database") for _ in range(4)]
            for _ in range(8):
                d.others()
                time.sleep(0.2)
        later = d.patient(seconds=0.5, allowed=(503,), what="a registration once the database is known to hang")
        d.told.append(f"first told after {max(a.result().took for a in answers if a.result()):.1f} s, later after {later.took:.1f} s")
    finally:
        d.network.do("heal", "postgres.clinical")
    took = d.until(lambda: d.patient().status == 201, 20)
    d.must(took is not None, "clinical does not come back within 20 s of its database")


def hung_redis(d):
    """R18, R4"""
    doctor, provider = new_doctor(d.site.admin, "Dr. Drill")
    patient = d.patient(allowed=(201,))["id"]
    d.network.do("blackhole", "redis")
    try:
        d.ask(d.site.reception, "POST", "/v1/queue/walk-in", {"patientId": patient, "providerId": provider["id"]}, 2, (201,))
        d.ask(doctor, "GET", f"/v1/queue/today?providerId={provider['id']}", None, 2, (200,))
        d.ask(doctor, "POST", "/v1/queue/next", {}, 2, (200,))
        d.ask(Clinic(d.env["POLYCLINIC_URL"]), "POST", "/v1/auth/login", {"email": "admin@demo.example", "password": PASSWORD}, 3, (200,))
        d.others()
    finally:
        d.network.do("heal", "redis")


def hung_broker_and_peer(d):
    """R18, R9: nobody hears of a new patient, and the one to ask about him is silent."""
    _, provider = new_doctor(d.site.admin, "Dr. Drill")
    d.site.admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(today()), "to": str(today()), "start": "00:00",
                                         "end": "23:45", "slotMinutes": 15}, key=unique())
    slots = [s["id"] for s in d.site.reception.get(f"/v1/slots?providerId={provider['id']}&date={today()}&status=free&limit=20")["items"]]
    known = d.patient(allowed=(201,))["id"]
    d.ask(d.site.reception, "POST", "/v1/appointments", {"slotId": slots.pop(), "patientId": known}, 2, (201,))
    d.network.do("blackhole", "rabbitmq")
    d.network.do("blackhole", "peer.clinical")
    try:
        for _ in range(5):
            d.patient(seconds=1.5, allowed=(201,), what="a registration without a broker")
        strangers = [d.patient(allowed=(201,))["id"] for _ in range(8)]
        times = [d.ask(d.site.reception, "POST", "/v1/appointments", {"slotId": slots[0], "patientId": who}, 3.5, (503,),
                       what="a booking whose patient cannot be asked about").took for who in strangers]
        d.must(times[-1] < 0.5, f"the breaker does not open: the 8th still took {times[-1]:.1f} s")
        d.told.append(f"asked in vain {times[0]:.1f} s, with the breaker open {times[-1]:.2f} s")
        d.others()
    finally:
        d.network.do("heal", "peer.clinical")
        d.network.do("heal", "rabbitmq")
    time.sleep(2.1)  # the breaker's pause
    d.ask(d.site.reception, "POST", "/v1/appointments", {"slotId": slots[0], "patientId": strangers[0]}, 3, (201,))
    d.drains(60, "after a broker that hung")


# MARK: R9 and R15, no room

def blocked_broker(d):
    """R9: the memory alarm blocks publishers; people do not notice."""
    d.stage.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    try:
        for _ in range(20):
            d.patient(seconds=1.5, allowed=(201,), what="a registration with the broker blocked")
        blocked = d.until(lambda: d.ready("clinical")[1].get("broker") == "blocked", 5)
        d.must(blocked is not None, f"clinical does not know that the broker blocks it: {d.ready('clinical')}")
        d.must(d.ready("clinical")[0] == 200, "a blocked broker makes clinical unready")
        d.must(d.database().execute("select count(*) from clinical.outbox where published_at is null").fetchone()[0] > 0,
               "nothing waits: the alarm blocked nobody")
    finally:
        d.stage.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
    d.drains(60, "after the memory alarm")


def full_broker_disk(d):
    """R15, R9: a broker without room takes nothing more; people do not notice, and what they were told arrives once it has room."""
    kept = []

    def register():
        answer = d.patient(seconds=1.5, allowed=(201,), what="a registration with the broker's disk full")
        if answer and answer.status == 201:
            kept.append(answer["id"])

    def is_shut():  # it looks at its disk every ten seconds at the latest, or ends for want of room
        register()
        return d.ready("clinical")[1].get("broker") == "blocked" or is_gone(d, "rabbitmq")
    d.stage.fill("rabbitmq", leaving=1 << 20)
    try:
        shut = d.until(is_shut, 20)
        d.must(shut is not None, f"clinical does not know that the broker takes nothing more: {d.ready('clinical')}")
        d.must(d.ready("clinical")[0] == 200, "a broker without room makes clinical unready")
        state = "ended" if is_gone(d, "rabbitmq") else "blocked"
        for _ in range(20):
            register()
        with d.database() as database:
            waiting = database.execute("select count(*) from clinical.outbox where published_at is null").fetchone()[0]
        d.must(waiting > 0, "nothing waits: the broker had room")
    finally:
        d.stage.free("rabbitmq")
        restart_if_gone(d, "rabbitmq")
    d.drains(HEALS, "after the broker's disk was full")
    with d.database() as database:
        arrived = {str(row[0]) for row in database.execute("""select o.subject from clinical.outbox o join reporting.inbox i on i.event_id = o.id
            where o.type = 'clinical.patient.registered.v1' and i.reaction = 'reporting.count-patient' and o.subject = any(%s)""", [kept])}
    d.must(set(kept) <= arrived, f"reporting never heard of {len(set(kept) - arrived)} of {len(kept)} patients who were registered")
    d.told.append(f"{state} after {shut and round(shut, 1)} s, {waiting} facts waited, {len(kept)} patients arrived")


def full_postgres_disk(d):
    """R15: what was acknowledged is there, what cannot be kept is 503, and room heals it."""
    kept, statuses, stop = [], {}, threading.Event()
    note = "x" * 20_000

    def write(client):
        while not stop.is_set():
            try:
                answer = client.call("POST", "/v1/patients", {"name": "Drill Disk", "birthDate": "1980-02-29", "phone": "+919812345678",
                                                               "address": note[:400]}, key=unique())
            except OSError:
                continue
            statuses[(answer.status, answer.code)] = statuses.get((answer.status, answer.code), 0) + 1
            if answer.status == 201:
                kept.append(answer["id"])
    threads = [threading.Thread(target=write, args=(Clinic(d.site.reception.url, d.site.reception.token),)) for _ in range(4)]
    unready = None
    with d.database() as database:  # so that it is the log of changes that has no room
        database.execute("checkpoint")
    d.stage.fill("postgres")
    try:
        for thread in threads:
            thread.start()
        began = time.monotonic()
        while time.monotonic() - began < 12 and unready is None:
            refused = any(status == 503 for status, _ in statuses)
            if refused and d.ready("clinical")[0] == 503:
                unready = time.monotonic() - began
            time.sleep(0.1)
        time.sleep(1)
    finally:
        d.stage.free("postgres")
        freed = time.monotonic()
        restart_if_gone(d, "postgres")
    heals = d.until(lambda: d.ready("clinical")[0] == 200 and d.patient().status == 201, HEALS)
    stop.set()
    for thread in threads:
        thread.join()
    d.must(heals is not None, f"clinical is not itself again {HEALS} s after there was room")
    d.must(set(s for s, _ in statuses) <= {201, 503}, f"with the disk full, answers were {statuses}")
    d.must(any(s == 503 for s, _ in statuses), f"the disk was never full: {statuses}")
    d.must(unready is not None, "clinical stays ready though nothing can be written")
    with d.database() as database:
        there = {str(r[0]) for r in database.execute("select id from clinical.patient where id = any(%s::uuid[])", [kept])}
    d.must(set(kept) <= there, f"{len(set(kept) - there)} of {len(kept)} acknowledged patients are gone")
    d.told.append(f"{len(kept)} kept, {statuses}, unready after {unready and round(unready, 1)} s, healed {time.monotonic() - freed:.1f} s after")


def restart_if_gone(d, server):
    """What an orchestrator does; a server that ended for want of room does not come back by itself."""
    if is_gone(d, server):
        d.told.append(f"{server} had ended and was started again")
    d.faults.start(server)


def is_gone(d, server):
    try:
        os.kill(d.faults.pid(server), 0)
    except (OSError, ValueError):
        return True
    return False


# MARK: R13, clocks

def wrong_clocks(d):
    """R13: nobody loses a place, and no token outlives what it may, because a clock is wrong."""
    doctor, provider = new_doctor(d.site.admin, "Dr. Drill")
    came = []
    for off in (0, 300, -300, 3600, -3600, 0):
        d.stage.set_clock("queue", off)
        token = None
        until = time.monotonic() + 5
        while token is None and time.monotonic() < until:  # a token that seems to be of the future is refused meanwhile
            patient = d.patient(allowed=(201,))["id"]
            answer = d.ask(d.site.reception, "POST", "/v1/queue/walk-in", {"patientId": patient, "providerId": provider["id"]})
            if answer.status == 401:
                break
            token = answer.json if answer.status == 201 else None
        if token:
            came.append(token["id"])
    d.stage.set_clock("queue", 0)
    called = []
    for _ in came:
        called.append(d.ask(doctor, "POST", "/v1/queue/next", {}, allowed=(200,))["id"])
        doctor.call("PATCH", f"/v1/queue/{called[-1]}", {"status": "COMPLETED"}, expect=200)
    d.must(called == came, f"walk-ins were called in the order {[came.index(c) + 1 for c in called]}, as a wrong clock would have it")
    d.must(len(came) >= 4, f"only {len(came)} of 6 could arrive")
    old_token_lives_no_longer(d)
    revocation_counts_whatever_the_clock(d)


def old_token_lives_no_longer(d):
    client = Clinic(d.env["POLYCLINIC_URL"]).as_("reception")
    d.ask(client, "GET", "/v1/patients?limit=1", allowed=(200,))
    d.stage.set_clock("clinical", 3600)
    d.ask(client, "GET", "/v1/patients?limit=1", allowed=(401,), what="an expired token")
    d.stage.set_clock("clinical", 0)
    d.ask(client, "GET", "/v1/patients?limit=1", allowed=(200,), what="the same token once the clock is right again")


def revocation_counts_whatever_the_clock(d):
    email = f"{unique('leaver')}@demo.example"
    account = d.site.admin.open_account({"name": "Site Leaver", "email": email, "roles": ["reception"]})["id"]
    leaver = Clinic(d.env["POLYCLINIC_URL"]).as_(email)
    d.ask(leaver, "GET", "/v1/patients?limit=1", allowed=(200,))
    chief = Clinic(d.env["POLYCLINIC_URL"]).as_("admin")
    version = chief.get(f"/v1/users/{account}").headers["etag"]
    d.stage.set_clock("auth", -300)
    try:
        done = chief.call("PATCH", f"/v1/users/{account}", {"active": False}, headers={"If-Match": version})
        d.must(done.status == 200, f"the account could not be closed: {done}")
        gone = d.until(lambda: leaver.call("GET", "/v1/patients?limit=1").status == 401, 20)
    finally:
        d.stage.set_clock("auth", 0)
    d.must(gone is not None, "a closed account's token is still good, because the clock of auth was five minutes behind")


# MARK: R19, a message that kills

def poison(d):
    """R19: what kills its consumer again and again ends alone in the parking queue; its neighbours are all handled."""
    reaction = "reporting.count-patient"
    with d.database() as holder, d.database() as database:
        victim = d.patient(allowed=(201,))["id"]
        if d.until(lambda: database.execute("""select exists (select from reporting.inbox i join clinical.outbox o on o.id = i.event_id
                where o.subject = %s and i.reaction = %s)""", [victim, reaction]).fetchone()[0], 20) is None:
            d.wrong.append("the first fact did not arrive")
            return
        event, tenant = database.execute("select id, tenant_id from clinical.outbox where subject = %s and type like 'clinical.patient.registered%%'", [victim]).fetchone()
        # Its inbox row is taken by somebody who does not commit: whoever handles it hangs, and is then killed.
        holder.execute("begin")
        database.execute("delete from reporting.inbox where event_id = %s and reaction = %s", [event, reaction])
        database.execute("update reporting.daily_summary set patients_registered = patients_registered - 1 where patients_registered > 0")
        holder.execute("insert into reporting.inbox (reaction, event_id) values (%s, %s)", [reaction, event])
        d.faults.end("kill", "reporting", 0)
        database.execute("update clinical.outbox set published_at = null where id = %s", [event])
        for _ in range(25):
            d.patient(allowed=(201,))
        kills = 0
        parked = lambda: checks.depths(d.env["AMQP_ADMIN_URL"]).get(f"{reaction}.parking", 0)  # noqa: E731
        began = time.monotonic()
        while not parked() and time.monotonic() - began < HEALS:
            waits = d.until(lambda: database.execute("""select exists (select from pg_stat_activity where usename = 'polyclinic_reporting'
                and wait_event_type = 'Lock')""").fetchone()[0], 1.5)
            if waits is not None:
                d.faults.end("kill", "reporting", 0)
                kills += 1
            elif parked():
                break
        took = time.monotonic() - began
        d.must(parked() == 1, f"{parked()} messages are parked {took:.0f} s after a message began to kill its consumer, not the one")
        holder.execute("rollback")
    with d.database() as database:
        left = checks.settle(database, d.env["AMQP_ADMIN_URL"], 30)
        d.must(not left, f"neighbours of a poisoned message wait: {left}")
        done = subprocess.run([d.env["POLYCLINIC_STACK"], "run", "reporting", "redrive", reaction], capture_output=True, text=True)
        handled = d.until(lambda: database.execute("select exists (select from reporting.inbox where event_id = %s and reaction = %s)",
                                                   [event, reaction]).fetchone()[0], 20)
        d.must(handled is not None, f"what was parked is not handled after its redrive: {done.stdout}{done.stderr}")
        d.must(not parked_now(d, reaction), "something is still parked")
    d.told.append(f"alone after {took:.0f} s and {kills} kills, and handled when it was put back")


def parked_now(d, reaction):
    connection = pika.BlockingConnection(pika.URLParameters(d.env["AMQP_ADMIN_URL"]))
    try:
        return connection.channel().queue_declare(f"{reaction}.parking", passive=True).method.message_count
    finally:
        connection.close()


# MARK: R2, what comes late

def overtaken(d):
    """R2, R9: a fact that arrives after a newer one about the same thing changes nothing that is kept of it."""
    began = datetime.datetime.now(datetime.timezone.utc)
    change_everything_twice(d)
    d.drains(30, "before anything comes late")
    with d.database() as database:
        late = []
        for card in checks.KEPT:
            facts = checks.overtaken(database, card, began)
            late += facts
            d.must(facts, f"nothing that {card.table} keeps was overtaken, so nothing can come late")
        # As though the older ones had been in a retry queue: nobody has handled them, and they are sent now.
        for reaction, fact in late:
            database.execute(f"delete from {reaction.split('.')[0]}.inbox where reaction = %s and event_id = %s", [reaction, fact])
        for service in checks.SERVICES:
            database.execute(f"update {service}.outbox set published_at = null where id = any(%s)", [list({fact for _, fact in late})])

        def is_missing():
            return [(r, f) for r, f in late if not database.execute(
                f"select from {r.split('.')[0]}.inbox where reaction = %s and event_id = %s", [r, f]).rowcount]
        d.until(lambda: not is_missing(), 20)
        d.must(not (left := is_missing()), f"{len(left)} of {len(late)} did not come again, such as {left[:1]}")
        d.wrong += checks.order(database)
    d.told.append(f"{len(late)} facts came late")


def change_everything_twice(d):
    """Two facts or more about everything that other services keep a card of."""
    admin, desk = d.site.admin, d.site.reception
    doctor, provider = new_doctor(admin, "Dr. Late")
    other = new_doctor(admin, "Dr. Later")[1]
    for status in ("offline", "online"):
        doctor.call("PUT", f"/v1/providers/{provider['id']}/presence", {"status": status}, expect=200)
    medicine = d.site.pharmacist.post("/v1/inventory/medicines", {
        "name": unique("Latamol"), "form": "tablet", "taxPercent": 12, "reorderLevel": 0, "unitPrice": {"amount": 100, "currency": "INR"}},
        key=unique())["id"]
    d.site.pharmacist.patch(f"/v1/inventory/medicines/{medicine}", {"unitPrice": {"amount": 200, "currency": "INR"}})
    patient = d.patient(allowed=(201,))["id"]
    for one in (provider, other):
        admin.post("/v1/slots/bulk", {"providerId": one["id"], "from": str(today() + datetime.timedelta(days=1)), "start": "09:00",
                                      "to": str(today() + datetime.timedelta(days=1)), "end": "10:00", "slotMinutes": 15}, key=unique())
    free = [desk.get(f"/v1/slots?providerId={one['id']}&date={today() + datetime.timedelta(days=1)}&status=free&limit=1")["items"][0]["id"]
            for one in (provider, other)]
    booked = desk.post("/v1/appointments", {"slotId": free[0], "patientId": patient}, key=unique())["id"]
    desk.patch(f"/v1/appointments/{booked}", {"slotId": free[1]})
    desk.call("DELETE", f"/v1/appointments/{booked}", expect=200)
    # Last, because nobody books with somebody who has left.
    account = f"/v1/users/{provider['accountId']}"
    admin.patch(account, {"name": "Dr. Late Again"})
    admin.post(f"{account}/licence/decision", {"verified": False, "reason": "the council's word", "withdraws": True}, expect=200)
    for active in (False, True):
        admin.patch(account, {"active": active})


ALL = (cut_commits, one_shelf, hung_postgres, hung_redis, hung_broker_and_peer, blocked_broker, full_broker_disk, full_postgres_disk, wrong_clocks,
       overtaken, poison, drain, overload, crowded_desk, hesitation)


def run(env, stage, faults, names=()):
    """Every drill, or those named; returns what was wrong."""
    wrong = []
    for drill in [drill for drill in ALL if drill.__name__ in names] or ALL:
        stages.is_healthy(env)
        began, d = time.monotonic(), Drill(env, stage, faults)
        try:
            drill(d)
        except stages.CannotBreak as reason:
            d.wrong.append(f"could not be done: {reason}")
        except Exception as problem:  # a drill that breaks off must not pass as one that found nothing
            d.wrong.append(f"broke off: {problem!r}")
        d.network.do("heal", "*")
        if not stages.is_healthy(env):
            d.wrong.append("the stack is not healthy afterwards")
        promise = drill.__doc__.split(":")[0].split("\n")[0].strip()
        print(f"  {'✗' if d.wrong else '✓'} {drill.__name__} ({promise}) {time.monotonic() - began:.0f} s; {'; '.join(d.told)}", flush=True)
        for one in d.wrong:
            print(f"      {one}", flush=True)
        wrong += [f"{promise}: {drill.__name__}: {one}" for one in d.wrong]
    return wrong
