"""Drills on processes of a service beside the stack's own: one is told to end under load, one has more to do than it can."""
import collections
import datetime
import subprocess
import threading
import time
import urllib.request

import crowd
from clinic import Clinic, new_doctor, today, unique


# MARK: R16, leaving politely

def drain(d, restarts=8):
    """R16: two replicas behind somebody who watches their readiness; one after the other is told to end, under load."""
    slots, patient, booked = free_slots(d, days=14), d.patient(allowed=(201,))["id"], []
    with Replicas(d, "scheduling", 2) as replicas:
        stop, counts, lost, odd = threading.Event(), {}, [], []

        def ask(client, wish):
            """A booking for every fifth, with a key of its own: one that nobody took is sent to another replica with the same."""
            if wish is None:
                return client.call("GET", f"/v1/appointments?date={today()}&limit=20")
            slot, key = wish
            return client.call("POST", "/v1/appointments", {"slotId": slot, "patientId": patient}, key=key)

        def load(number):
            client, turn, wish = Clinic(d.site.reception.url, d.site.reception.token), 0, None
            while not stop.is_set() or wish:  # nobody goes home without an answer to a booking
                if wish is None and (turn := turn + 1) % 5 == 0 and slots and not stop.is_set():
                    wish = slots.pop(), unique("drain")
                port = replicas.choose(number)
                began = time.monotonic()
                try:
                    client.port, client.local = port, threading.local()  # a connection each time, as a balancer's probe would
                    answer = ask(client, wish)
                    counts[answer.status] = counts.get(answer.status, 0) + 1
                    if answer.status == 201:
                        booked.append((answer["id"], wish[0]))
                    elif answer.status != 200:
                        odd.append((answer.json or {}).get("traceId", "?"))
                    wish = None
                except ConnectionRefusedError:
                    counts["refused"] = counts.get("refused", 0) + 1  # nothing was sent: another replica is asked
                except OSError as problem:
                    lost.append(f"{problem!r} after {time.monotonic() - began:.3f} s")
                    wish = None
        threads = [threading.Thread(target=load, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        slowest = 0
        for turn in range(restarts):
            # Answers take longer than a replica goes on serving (1 s): they are waited for. No more than that, because a
            # connection that takes two seconds to open, or five to become free, is refused whether somebody ends or not.
            if turn % 2:
                d.network.do("latency", "postgres.scheduling", seconds=0.2)
            time.sleep(0.3)
            slowest = max(slowest, replicas.end(turn // 2 % 2))
            d.network.do("heal", "postgres.scheduling")
            replicas.start(turn // 2 % 2)
        stop.set()
        for thread in threads:
            thread.join()
    d.must(not lost, f"{len(lost)} requests were dropped in {restarts} restarts, such as {lost[:2]}")
    d.must(set(counts) <= {200, 201, "refused"}, f"answers in {restarts} restarts: {counts}; {replicas.said_of(odd[:3])}")
    d.must(slowest <= 25, f"it took {slowest:.0f} s to end")
    d.must(len(booked) >= 10 * restarts, f"only {len(booked)} bookings were made in {restarts} restarts")
    with d.database() as database:
        there = sorted((str(row[0]), str(row[1])) for row in database.execute(
            "select id, slot_id from scheduling.appointment where patient_id = %s", [patient]))
    d.must(there == sorted(booked), f"{len(booked)} bookings were acknowledged and {len(there)} are there, {len(set(there) ^ set(booked))} of them differ")
    d.told.append(f"{counts.get(200, 0)} answered and {len(booked)} booked in {restarts} restarts, {len(lost)} dropped, slowest end {slowest:.1f} s")


def free_slots(d, days):
    """A new practitioner's, from tomorrow on."""
    _, provider = new_doctor(d.site.admin, "Dr. Drain")
    dates = [today() + datetime.timedelta(days=n + 1) for n in range(days)]
    d.site.admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": str(dates[0]), "to": str(dates[-1]), "start": "00:00",
                                         "end": "23:45", "slotMinutes": 15}, key=unique())
    return [slot["id"] for date in dates for slot in d.site.reception.get(
        f"/v1/slots?providerId={provider['id']}&date={date}&status=free&limit=100")["items"]]


class Replicas:
    """Processes of one service beside the stack's own, on ports of their own; `settings` are what they are told otherwise."""

    def __init__(self, d, service, count, **settings):
        self.d, self.service, self.settings = d, service, settings
        self.ports = [d.stage.base + 80 + i for i in range(count)]
        self.processes, self.is_ready = [None] * count, [False] * count

    def __enter__(self):
        for i in range(len(self.ports)):
            self.start(i)
        self.watching = threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.watching.set()
        self.watcher.join()
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, i):
        data = self.d.env["POLYCLINIC_DATA"]
        with open(f"{data}/env/{self.service}", encoding="utf-8") as file:
            env = dict(line.split("=", 1) for line in file.read().splitlines())
        env.update(PORT=str(self.ports[i]), HEALTH_PORT=str(self.ports[i] + 10), DRAIN_SECONDS="1", PATH="/usr/bin:/bin", LANG="C.UTF-8", **self.settings)
        with open(f"{data}/log/{self.service}.replica-{i}.log", "ab") as log:
            self.processes[i] = subprocess.Popen([f"{data}/bin/{self.service}", "serve"], env=env, stdout=log, stderr=log)
        self.d.until(lambda: self.probe(i), 20)
        self.is_ready[i] = True

    def said_of(self, traces):
        """What the replicas' logs say of these requests."""
        said = []
        for i in range(len(self.ports)):
            with open(f"{self.d.env['POLYCLINIC_DATA']}/log/{self.service}.replica-{i}.log", encoding="utf-8", errors="replace") as log:
                said += [line.strip() for line in log if any(trace in line for trace in traces)]
        return said

    def end(self, i):
        """Tells it to end, and waits until it has; returns how long that took."""
        began = time.monotonic()
        self.processes[i].terminate()
        self.processes[i].wait(timeout=60)
        return time.monotonic() - began

    def probe(self, i):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[i] + 10}/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def watch(self):
        while not self.watching.wait(0.2):
            for i in range(len(self.ports)):
                self.is_ready[i] = self.probe(i)

    def choose(self, number):
        ready = [port for port, is_ready in zip(self.ports, self.is_ready) if is_ready]
        return (ready or self.ports)[number % len(ready or self.ports)]


# MARK: R17, more than it can do

def overload(d):
    """R17: five times what it can do: it goes on doing that, turns the rest away at once, and is itself again when they have gone."""
    doctor, _ = new_doctor(d.site.admin, "Dr. Crowd")
    visits = [doctor.post("/v1/visits", {"patientId": d.patient(allowed=(201,))["id"]}, key=unique())["id"] for _ in range(40)]
    flood(d, doctor.token, "clinical.visit_note", lambda n: (
        f"/v1/visits/{visits[n % len(visits)]}/notes", {"category": "SYMPTOM", "text": f"Said for the {n}th time"}))


def crowded_desk(d):
    """R17: the same with people who register, for whom a number is to be had as well."""
    flood(d, d.site.reception.token, "clinical.patient", lambda n: (
        "/v1/patients", {"name": "Drill Crowd", "birthDate": "1980-02-29", "phone": f"+9194{n:08d}"}))


def hesitation(d, times=3, people=200, a_second=300, pause=0.3):
    """R1, R17: two hundred want one slot, and the database pauses when the first have come: one has it, the others hear that it is taken, and not that there is no room."""
    slots, patient = free_slots(d, days=1), d.patient(allowed=(201,))["id"]
    for _ in range(times):
        slot = slots.pop()
        with Replicas(d, "scheduling", 1) as replicas:  # one that knows nothing yet of how fast its database is
            crowd_at_slot = crowd.Crowd(replicas.ports[0], d.site.reception.token, lambda: ("POST", "/v1/appointments", {"slotId": slot, "patientId": patient}))
            d.network.do("blackhole", "postgres.scheduling")
            end = threading.Timer(pause, d.network.do, ("heal", "postgres.scheduling"))
            end.start()
            statuses = collections.Counter(a.status for a in crowd_at_slot.flood(a_second, people / a_second))
            end.join()
        d.must(statuses == {201: 1, 409: people - 1}, f"of {people} at one slot in a pause of {pause} s: {dict(statuses)}")
        d.told.append(f"{statuses[201]} of {people} booked, {statuses[409]} heard that it is taken")


def flood(d, token, table, write, times=5, seconds=8):
    """Three writes and one read, for ever, of one replica of clinical.

    Two cores cannot be loaded five times and measured by the same two cores. So the replica's commits are made slow: what
    it can do is then little, and is bounded by what it waits for, as in a clinic, and not by whoever measures it.
    """
    role, count = "alter role polyclinic_clinical", iter(range(10**9))

    def wish():
        n = next(count)
        return ("POST", *write(n)) if n % 4 else ("GET", "/v1/patients?limit=1", None)
    with d.database() as database:
        database.execute(f"{role} set commit_delay = 80000")
        database.execute(f"{role} set commit_siblings = 0")
        try:
            with Replicas(d, "clinical", 1) as replicas:
                before = crowd.Crowd(replicas.ports[0], token, wish).hands(32, 3)
            peak = sum(is_accepted(a) for a in before) / 3
            with Replicas(d, "clinical", 1) as replicas:
                people, door = crowd.Crowd(replicas.ports[0], token, wish), replicas.processes[0]
                people.hands(32, 1)
                at_rest = memory(door, "VmRSS")
                answers = people.flood(times * peak, seconds)
                d.must(door.poll() is None, f"the crowd ended the process: {door.returncode}")
                most, began = memory(door, "VmHWM"), time.monotonic()
                again = d.until(lambda: sum(is_accepted(a) for a in people.hands(32, 1)) >= 0.8 * peak, 30)
                d.must(again is not None, f"30 s after the crowd it does not do {peak:.0f} requests a second again")
        finally:
            database.execute(f"{role} reset commit_delay")
            database.execute(f"{role} reset commit_siblings")
    crowd_was_served(d, answers, peak, times, seconds)
    d.must(most <= 2 * at_rest, f"its memory grew from {at_rest >> 10} to {most >> 10} MB")
    with d.database() as database:
        told = {a.id for a in before + answers if a.id}
        there = {str(row[0]) for row in database.execute(f"select id from {table} where id = any(%s::uuid[])", [list(told)])}
    d.must(told <= there, f"{len(told - there)} of {len(told)} acknowledged rows of {table} are gone")
    d.told.append(f"memory {at_rest >> 10} to {most >> 10} MB, itself again after {time.monotonic() - began:.1f} s")
    d.drains(30, "after the crowd")


def crowd_was_served(d, answers, peak, times, seconds):
    """What R17 says of those who were let in and of those who were not."""
    accepted, refused = [a for a in answers if is_accepted(a)], [a for a in answers if a.status in (429, 503)]
    others = [a for a in answers if not is_accepted(a) and a.status not in (429, 503)]
    sent = len(answers) / max(a.at for a in answers)
    d.must(sent >= 0.9 * times * peak, f"the crowd was {sent:.0f} a second, not {times} times {peak:.0f}: it was too slow itself")
    d.must(len(refused) >= len(accepted), f"only {len(refused)} of {len(answers)} were turned away")
    d.must(not others, f"{len(others)} got neither their wish nor a refusal, such as {others[:1]}")
    done = sum(1 <= a.at + a.took < seconds for a in accepted) / (seconds - 1)  # the first second fills the room
    d.must(done >= 0.8 * peak, f"it did {done:.0f} a second under the crowd, and {peak:.0f} without")
    slowest, rudest = crowd.share([a.took for a in accepted], 0.99), crowd.share([a.took for a in refused], 0.95)
    d.must(slowest <= 2, f"of those it let in, one of a hundred waited {slowest:.1f} s or more")
    d.must(rudest < 0.05, f"of those it turned away, one of twenty heard of it after {rudest * 1000:.0f} ms or more")
    d.must(all(a.waits for a in refused), "it does not say everybody when to come again (Retry-After)")
    d.told.append(f"{peak:.0f} a second without, {done:.0f} under {sent:.0f}; let in after {slowest:.2f} s, away after {rudest * 1000:.0f} ms")


def is_accepted(answer):
    return answer.status in (200, 201)


def memory(process, field):
    """In KB, as the kernel counts it: `VmRSS` now, `VmHWM` at the most."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))
