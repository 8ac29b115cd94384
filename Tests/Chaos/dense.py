"""R1 in numbers: many hands on few slots, as fast as they go, while the service under them is killed every two seconds.

Sixty-four connections, two hundred slots of 15 and 30 minutes with three practitioners, twenty-four patients: so slots
are taken, patients are busy elsewhere, and bookings are given back and moved. Requests are written and read by hand on
bare sockets, because a comfortable client would be what limits them.
"""
import asyncio
import datetime
import json
import random
import threading
import time
import uuid

import psycopg

from clinic import Clinic, Site, new_doctor, today, unique

HANDS, SLOTS, PATIENTS = 64, 200, 24
ALLOWED = {"book": {201}, "reschedule": {200, 412}, "cancel": {200}}


class Hand:
    """One connection that books, moves and gives back, asking again with the same key until it knows."""

    def __init__(self, ring, name):
        self.ring, self.rng = ring, random.Random(f"{ring.seed}/{name}")
        self.held, self.reader, self.writer = {}, None, None

    async def work(self):
        while self.ring.attempts < self.ring.wanted:
            if len(self.held) > 3 or (self.held and self.rng.random() < 0.4):
                booking = self.rng.choice(list(self.held))
                if self.rng.random() < 0.4:
                    await self.reschedule(booking)
                else:
                    status, _, _ = await self.do("cancel", "DELETE", f"/v1/appointments/{booking}")
                    if status == 200:
                        del self.held[booking]
            else:
                slot = self.rng.choice(self.ring.slots)
                status, said, etag = await self.do("book", "POST", "/v1/appointments", {
                    "slotId": slot, "patientId": self.rng.choice(self.ring.patients)})
                if status == 201:
                    self.ring.told.add(said["id"])
                    self.held[said["id"]] = (slot, etag)
        if self.writer:
            self.writer.close()

    async def reschedule(self, booking):
        slot = self.rng.choice(self.ring.slots)
        status, said, etag = await self.do("reschedule", "PATCH", f"/v1/appointments/{booking}", {"slotId": slot}, self.held[booking][1])
        if status == 200:
            self.held[booking] = (said["slotId"], etag)
        elif status == 412:  # its own first attempt was slow, and moved it after a repetition had been refused
            self.held[booking] = (None, f'"{(await self.do("read", "GET", f"/v1/appointments/{booking}"))[1]["version"]}"')

    async def do(self, what, method, path, body=None, version=None):
        data = b"" if body is None else json.dumps(body).encode()
        kind = "merge-patch+json" if method == "PATCH" else "json"
        head = (f"{method} {path} HTTP/1.1\r\nHost: clinic\r\nAuthorization: Bearer {self.ring.token}\r\nContent-Length: {len(data)}\r\n"
                + (f"Content-Type: application/{kind}\r\n" if data else "") + (f"If-Match: {version}\r\n" if version else "")
                + (f"Idempotency-Key: {uuid.uuid4().hex}\r\n" if method != "GET" else "") + "\r\n").encode() + data
        unknown, until = False, time.monotonic() + 60
        while time.monotonic() < until:
            status, said, etag = await self.send(head)
            code = said.get("code") if said else None
            self.ring.answers[(status, code)] = self.ring.answers.get((status, code), 0) + 1
            if status is not None and status < 500 and code != "request_in_progress":
                self.ring.attempts += what in ("book", "reschedule")  # only what was decided counts
                self.judge(what, status, code, unknown)
                return status, said, etag
            if status is not None and status >= 500 and status != 503:
                self.ring.wrong.append(f"R1: {what} was answered {status} {code}")
            unknown = True
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))
        self.ring.wrong.append(f"R8: {what} had no answer in a minute")
        return None, None, None

    def judge(self, what, status, code, unknown):
        if what == "read" or status in ALLOWED[what]:
            return
        if status == 409 and code in ("slot_taken", "patient_busy"):
            self.ring.doubtful += unknown and what == "book"
        else:
            self.ring.wrong.append(f"R1: {what} was answered {status} {code}")

    async def send(self, request):
        """(status, document, etag); (None, None, None) when the connection broke."""
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.ring.port)
            self.writer.write(request)
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            fields = {name.lower(): value for name, value in fields.items()}
            body = await asyncio.wait_for(self.reader.readexactly(int(fields.get(b"content-length", b"0"))), 20)
            if fields.get(b"connection") == b"close":
                self.writer.close()
                self.writer = None
            return int(head[9:12]), json.loads(body) if body else None, fields.get(b"etag", b"").decode()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError):
            if self.writer:
                self.writer.close()
            self.writer = None
            return None, None, None


class Ring:
    """What the hands fight over."""

    def __init__(self, env, seed, wanted):
        self.env, self.seed, self.wanted = env, seed, wanted
        self.attempts, self.doubtful, self.answers, self.told, self.wrong = 0, 0, {}, set(), []
        site = Site(Clinic(env["POLYCLINIC_URL"]))
        self.token, self.port = site.reception.token, site.reception.port
        self.providers, self.slots = [], []
        for minutes in (15, 30, 15):
            provider = new_doctor(site.admin, f"Dr. Dense {minutes}")[1]["id"]
            self.providers.append(provider)
            days = [today() + datetime.timedelta(days=n) for n in (1, 2)]
            site.admin.post("/v1/slots/bulk", {"providerId": provider, "from": str(days[0]), "to": str(days[1]), "start": "00:00",
                                               "end": "23:45", "slotMinutes": minutes}, key=unique())
            for day in days:
                self.slots += [s["id"] for s in site.reception.get(f"/v1/slots?providerId={provider}&date={day}&status=free&limit=100")["items"]]
        self.slots = sorted(self.slots)[:]
        random.Random(seed).shuffle(self.slots)
        self.slots = self.slots[:SLOTS]
        self.patients = [site.reception.post("/v1/patients", {"name": "Dense Regular", "birthDate": "1970-01-01", "phone": f"+9195{n:08d}"},
                                             key=unique())["id"] for n in range(PATIENTS)]

    def check(self):
        """What the hands were told, against what is there."""
        with psycopg.connect(self.env["POSTGRES_URL"], autocommit=True) as database:
            rows = {str(r[0]): (r[1], str(r[2])) for r in database.execute(
                "select id, status, slot_id from scheduling.appointment where provider_id = any(%s::uuid[])", [self.providers])}
        missing, more = self.told - set(rows), set(rows) - self.told
        if missing:
            self.wrong.append(f"R1: {len(missing)} bookings were confirmed and are not there, such as {min(missing)}")
        if len(more) > self.doubtful:
            self.wrong.append(f"R1: {len(more)} bookings are there that nobody was told of")
        live = {booking for booking, (status, _) in rows.items() if status != "cancelled"}
        held = {b: slot for hand in self.hands for b, (slot, _) in hand.held.items()}
        if set(held) - live or len(live - set(held)) > len(more):
            self.wrong.append(f"R1: {len(set(held) - live)} held bookings are gone, {len(live - set(held))} live ones are held by nobody")
        moved = [b for b, slot in held.items() if slot and b in rows and rows[b][1] != slot]
        if moved:
            self.wrong.append(f"R1: {len(moved)} bookings are in another slot than their holder was told, such as {moved[0]}")

    async def fight(self):
        self.hands = [Hand(self, n) for n in range(HANDS)]
        await asyncio.gather(*(hand.work() for hand in self.hands))


def run(env, breaking, seed, wanted, every=2.0):
    """Returns (attempts, kills, what is wrong, a summary)."""
    ring, stop, kills = Ring(env, seed, wanted), threading.Event(), 0

    def kill():
        nonlocal kills
        while not stop.wait(every):
            breaking.end("kill", "scheduling", 0)
            kills += 1
    killer = threading.Thread(target=kill)
    killer.start()
    began = time.monotonic()
    asyncio.run(ring.fight())
    took = time.monotonic() - began
    stop.set()
    killer.join()
    ring.check()
    answers = ", ".join(f"{n} × {status} {code or ''}".strip() for (status, code), n in sorted(ring.answers.items(), key=lambda x: -x[1]))
    return ring.attempts, kills, ring.wrong, f"{ring.attempts} attempts in {took:.0f} s, {kills} kills, {len(ring.told)} bookings: {answers}"
