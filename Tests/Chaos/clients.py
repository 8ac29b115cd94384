"""People at their desks, who ask again with the same Idempotency-Key until they know what happened."""
import http.client
import json
import random
import time

from clinic import today, unique

PATIENCE = 120  # seconds until somebody gives up: far longer than any fault lasts


class GaveUp(Exception):
    pass


class Desk:
    """One signed-in person with one connection. Every write is one `do`: as many requests as it takes."""

    def __init__(self, clinic, name, rng, history):
        self.clinic, self.name, self.rng, self.history = clinic, name, rng, history
        self.connection = None
        self.count = 0

    def do(self, what, method, path, body=None, *, about=None, version=None, count=None):
        """Returns (status, document, version). Status is below 500: what is not known is asked again.

        `about` and `count` go to the history: whose queue or which token or medicine it is about, and how much of it."""
        self.count += 1
        key = f"{self.name}-{self.count}-{unique('')[-6:]}"
        headers = {"Idempotency-Key": key, **({"If-Match": version} if version else {})}
        began, tries, unknown = self.history.now(), 0, False
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            tries += 1
            # Some hang up before they hear the answer, and ask again at once: the first may still be running.
            cut = self.rng.random() < 0.06 and tries < 3
            status, document, etag = self.attempt(what, key, method, path, body, headers, cut)
            if status is not None and status < 500 and self.is_answer(status, document):
                self.history.operation(
                    who=self.name, what=what, key=key, began=began, ended=self.history.now(), tries=tries, status=status,
                    about=about, count=count, unknown=unknown, **self.told(document))
                return status, document, etag
            unknown = True
            if not cut:
                time.sleep(self.rng.uniform(0.05, 0.3))
        self.history.operation(who=self.name, what=what, key=key, began=began, ended=self.history.now(), tries=tries,
                               status=None, about=about, count=count, unknown=True, **self.told(None))
        raise GaveUp(f"{self.name} could not {what} within {PATIENCE} s")

    @staticmethod
    def told(document):
        """What of an answer is kept."""
        document = document if isinstance(document, dict) else {}
        lines = [(line["batchId"], line["quantity"]) for line in document.get("lines", ()) if "batchId" in line]
        return {"code": document.get("code"), "id": made_by(document), **({"lines": lines} if lines else {})}

    def is_answer(self, status, document):
        if status == 401:  # a clock that is wrong does not know how old a token is
            return not self.history.is_clock_wrong()
        code = document.get("code") if isinstance(document, dict) else None
        return code not in ("request_in_progress", "too_many_requests")

    def get(self, what, path):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status, document, _ = self.attempt(what, None, "GET", path, None, {}, False)
            if status is not None and status < 500 and self.is_answer(status, document):
                return document
            time.sleep(self.rng.uniform(0.05, 0.3))
        raise GaveUp(f"{self.name} could not {what} within {PATIENCE} s")

    def attempt(self, what, key, method, path, body, headers, cut):
        began = self.history.now()
        status, document, etag = None, None, None
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.clinic.host, self.clinic.port, timeout=20)
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            self.connection.request(method, path, json.dumps(body).encode() if body is not None else None, {
                "Authorization": f"Bearer {self.clinic.token}", **headers, **({"Content-Type": kind} if body is not None else {})})
            if cut:
                time.sleep(self.rng.choice((0, 0.002, 0.01)))
                raise ConnectionAbortedError("hung up")
            answer = self.connection.getresponse()
            read = answer.read()
            status, etag = answer.status, answer.getheader("etag")
            document = json.loads(read) if read and "json" in answer.getheader("content-type", "") else None
        except (OSError, http.client.HTTPException, ValueError):
            status, document = None, None
            self.connection.close()
            self.connection = None
        made = made_by(document) if isinstance(document, dict) else None
        code = document.get("code") if isinstance(document, dict) else None
        self.history.attempt(who=self.name, what=what, key=key, began=began, ended=self.history.now(), cut=cut,
                             status=status, code=code, id=made)
        if status is not None and status >= 500 and status != 503:
            self.history.problem(f"{what} by {self.name} was answered {status} {code}")
        return status, document, etag


def made_by(document):
    """The id of what an answer says was made; of a refund, that of its money."""
    return document.get("id") or (document.get("refund") or {}).get("id")


class World:
    """What the walks share. It is made before the first fault."""

    def __init__(self, site, doctor, hot, medicine, patients):
        self.site, self.shared_doctor, self.hot, self.medicine, self.patients = site, doctor, hot, medicine, patients


def register(desk, rng):
    return desk.do("register", "POST", "/v1/patients", {
        "name": f"Chaos {''.join(rng.choices('abcdefghij', k=8)).title()}", "birthDate": "1980-02-29",
        "phone": f"+9198{rng.randrange(10**8):08d}"})[1]["id"]


def journeys(world, reception, doctor, pharmacist, provider, stop):
    """Patients one after another, from registration to medicine, each to the end."""
    rng, history = reception.rng, reception.history
    while not stop.is_set():
        patient = register(reception, rng)
        token = None
        if rng.random() < 0.5:
            free = reception.get("slots", f"/v1/slots?providerId={provider}&date={today()}&status=free&limit=20")["items"]
            for slot in free[:3]:
                status, booked, _ = reception.do("book", "POST", "/v1/appointments", {"slotId": slot["id"], "patientId": patient})
                if status == 201:
                    status, token, _ = reception.do("check-in", "POST", "/v1/queue/check-in", {"appointmentId": booked["id"]})
                    if status != 201:
                        return history.problem(f"check-in of {booked['id']} was refused: {status} {token}")
                    break
        if token is None:
            status, token, _ = reception.do("walk-in", "POST", "/v1/queue/walk-in", {"patientId": patient, "providerId": provider})
            if status != 201:
                return history.problem(f"a walk-in was refused: {status} {token}")
        until = time.monotonic() + PATIENCE
        while True:  # the last patient's token closes by event, which waits while the broker is away
            status, called, _ = doctor.do("next", "POST", "/v1/queue/next", {}, about=provider)
            if status != 409:
                break
            if time.monotonic() > until:
                return history.problem(f"the queue of {provider} is stuck: {called}")
            time.sleep(0.1)
        if status != 200 or called["id"] != token["id"]:
            return history.problem(f"{provider} waited for {token['id']} and was given {status} {called}")
        status, visit, _ = doctor.do("visit", "POST", "/v1/visits", {"patientId": patient, "tokenId": token["id"]})
        if status != 201:
            return history.problem(f"a visit was refused: {status} {visit}")
        daily = rng.choice((1, 2, 3))
        status, prescription, _ = doctor.do("prescribe", "POST", "/v1/prescriptions", {"visitId": visit["id"], "items": [
            {"medicineId": world.medicine, "dose": 1, "frequencyPerDay": daily, "durationDays": 5}]}, count=5 * daily)
        if status != 201:
            return history.problem(f"a prescription was refused: {status} {prescription}")
        status, done, _ = doctor.do("complete", "POST", f"/v1/visits/{visit['id']}/complete", {}, about=token["id"])
        if status != 200:
            return history.problem(f"completing a visit was refused: {status} {done}")
        if rng.random() < 0.3:
            doctor.do("close-token", "PATCH", f"/v1/queue/{token['id']}", {"status": "COMPLETED"}, about=token["id"])
        invoice = pay_for(world, reception, visit["id"], rng)
        if not invoice:
            return None
        status, refused, _ = pharmacist.do("dispense", "POST", "/v1/dispensing", {"prescriptionId": prescription["id"]},
                                           about=world.medicine, count=5 * daily)
        if status == 409 and refused["code"] == "insufficient_stock":
            pharmacist.do("receive", "POST", "/v1/inventory/batches", {
                "medicineId": world.medicine, "lotNumber": unique("LOT"), "quantity": rng.randrange(20, 60),
                "expiryDate": str(today().replace(year=today().year + rng.randrange(1, 3)))}, about=world.medicine)
        elif status != 201:
            return history.problem(f"dispensing a paid prescription was refused: {status} {refused}")
        if rng.random() < 0.4:  # after the medicine: what is given back before is not handed out
            give_back(reception, invoice, rng)


def pay_for(world, reception, visit, rng):
    """Returns the invoice, paid; None when something was refused. Now and then a first one is wrong and is cancelled."""
    body = {"visitId": visit, "mode": "AUTO", **({"discount": {"percent": rng.choice((5, 10))}} if rng.random() < 0.5 else {})}
    for is_wrong in ((True, False) if rng.random() < 0.3 else (False,)):
        status, invoice, _ = reception.do("invoice", "POST", "/v1/invoices", body)
        if status != 201:
            return reception.history.problem(f"an invoice was refused: {status} {invoice}")
        path = f"/v1/invoices/{invoice['id']}"
        if is_wrong:
            steps = ("issue", "cancel") if rng.random() < 0.5 else ("cancel",)  # a draft is owed by nobody yet
            for step in steps:
                status, changed, _ = reception.do(f"{step}-invoice", "POST", f"{path}/{step}", {})
                if status != 200:
                    return reception.history.problem(f"an invoice was not to be changed ({step}): {status} {changed}")
    if rng.random() < 0.4:
        reception.do("pay", "POST", f"{path}/pay", {"method": "CARD", "amount": {"amount": rng.randrange(1, 500), "currency": "INR"}})
    status, paid, _ = reception.do("pay", "POST", f"{path}/pay", {"method": rng.choice(("CASH", "UPI"))})
    if status != 201:
        return reception.history.problem(f"a payment was refused: {status} {paid}")
    return invoice


def give_back(reception, invoice, rng):
    """A part of what was paid, perhaps the rest after it."""
    for amount in ({"amount": rng.randrange(1, 500), "currency": "INR"}, None)[:rng.choice((1, 1, 2))]:
        status, refund, _ = reception.do("refund", "POST", f"/v1/invoices/{invoice['id']}/refunds",
                                         {"reason": "Waited too long", **({"amount": amount} if amount else {})})
        if status != 201:
            return reception.history.problem(f"a refund was refused: {status} {refund}")


def bookings(world, desk, stop):
    """A few slots that everybody wants: books, moves and gives back."""
    rng, mine = desk.rng, []
    while not stop.is_set():
        if len(mine) > 1 or (mine and rng.random() < 0.5):
            appointment, version = mine.pop(rng.randrange(len(mine)))
            if rng.random() < 0.5:
                status, moved, etag = desk.do("reschedule", "PATCH", f"/v1/appointments/{appointment}",
                                              {"slotId": rng.choice(world.hot)}, version=version)
                if status == 412:  # a repetition was refused, and the slow first request moved it after all
                    version = f'"{desk.get("read", f"/v1/appointments/{appointment}")["version"]}"'
                mine.append((appointment, etag or version))
                allowed = status in (200, 412) or (status == 409 and moved["code"] in ("slot_taken", "patient_busy"))
            else:
                status, moved, _ = desk.do("cancel", "DELETE", f"/v1/appointments/{appointment}")
                allowed = status == 200
            if not allowed:
                desk.history.problem(f"changing {appointment} was answered {status} {moved}")
        else:
            status, booked, etag = desk.do("book", "POST", "/v1/appointments", {
                "slotId": rng.choice(world.hot), "patientId": rng.choice(world.patients)})
            if status == 201:
                mine.append((booked["id"], etag))
            elif status != 409 or booked["code"] not in ("slot_taken", "patient_busy"):
                desk.history.problem(f"a booking was answered {status} {booked}")


def arrivals(world, desk, provider, stop):
    """People walk in to one doctor whom two assistants serve."""
    while not stop.is_set():
        status, token, _ = desk.do("walk-in", "POST", "/v1/queue/walk-in", {
            "patientId": desk.rng.choice(world.patients), "providerId": provider}, about=provider)
        if status not in (201, 409):
            desk.history.problem(f"a walk-in was answered {status} {token}")
        time.sleep(desk.rng.uniform(0, 0.2))


def calls(world, desk, provider, stop):
    while not stop.is_set():
        status, token, _ = desk.do("next", "POST", "/v1/queue/next", {}, about=provider)
        if status == 200:
            status, closed, _ = desk.do("close-token", "PATCH", f"/v1/queue/{token['id']}", {"status": "COMPLETED"}, about=token["id"])
            if status != 200:
                desk.history.problem(f"closing {token['id']} was answered {status} {closed}")
        elif status not in (204, 409):
            desk.history.problem(f"calling next was answered {status} {token}")
        time.sleep(desk.rng.uniform(0, 0.1))


def person(seed, name):
    """Each client has a generator of its own, so that one's luck does not depend on another's speed."""
    return random.Random(f"{seed}/{name}")


