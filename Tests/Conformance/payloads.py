"""Injections, made and not fetched: openings x what is tried x endings, 2,000 and more for each parameter that takes words, and
a hundred for each field of words of what writes.

The services bind every parameter, so each must be answered like any other nonsense: no 5xx, no word of SQL, and nobody waits
for a sleep that was smuggled in. Nothing is learned where somebody is turned away at the door, so each parameter is asked by
somebody who may, and fails when nearly everything about it was refused before a handler looked at it.
"""
import concurrent.futures
import datetime
import http.client
import itertools
import json
import pathlib
import re
import sys
import time
import urllib.parse
import uuid

POLICY = pathlib.Path(__file__).resolve().parents[1] / "Policy"
sys.path.insert(0, str(POLICY))
import bodies  # noqa: E402

OPENINGS = ["", "'", '"', "')", "'))", "\\'", "%27", "''", "`", "1", "-1", "1'", "x' ", "\u2019", "\uff07", "$$", "E'", "'||'"]
TRIES = [
    " or 1=1", " or 'a'='a", " and 1=2", " or true", " union select null", " union select null,null,null", " union all select version()",
    "; select pg_sleep(5)", " or pg_sleep(5) is null", "||(select pg_sleep(5))||", ";drop table patient", "; update account set roles='{admin}'",
    " and 1=cast((select current_user) as int)", " and (select count(*) from pg_user)>0", " order by 99", " group by 1 having 1=1", " like '%", "%", "_%",
    "; copy (select 1) to program 'id'", " and extractvalue(1,concat(0x7e,version()))", " or exists(select 1 from pg_tables)", "/**/or/**/1=1",
    " returning *", "; set role postgres", " and ascii(substr((select current_user),1,1))>64", " waitfor delay '0:0:5'", " or sleep(5)",
    " procedure analyse()", "{$ne:null}", "*)(uid=*", "${jndi:ldap://127.0.0.1/a}", "{{7*7}}", "$(sleep 5)", "|sleep 5", "<!--#exec cmd=id-->",
    "\u0000", "\r\nSet-Cookie: a=b", "../../../../etc/passwd", "%00", "\U0001f600",
]
ENDINGS = ["", "--", "-- ", "#", "/*"]


def corpus():
    """At least 2,000 different ones, none longer than a parameter may be."""
    made = dict.fromkeys(a + b + c for a, b, c in itertools.product(OPENINGS, TRIES, ENDINGS))
    return [p for p in made if 2 <= len(p) <= 100]


class Parameter:
    """One place that takes words: in the query, in the path, or a field of a body; and who may send them there."""

    def __init__(self, service, method, path, place, name, who="admin", body=None, most=100, reread=None):
        self.service, self.method, self.path, self.place, self.name, self.who = service, method, path, place, name, who
        self.body = body or (lambda word: {self.name: word})
        self.most, self.reread = most, reread  # the longest word it takes; where its version is read

    def __str__(self):
        return f"{self.method} {self.path} {self.name} as {self.who}"

    def request(self, word):
        quoted = urllib.parse.quote(word, safe="")
        if self.place == "query":
            return self.method, f"{self.path}?{self.name}={quoted}", None
        if self.place == "path":
            return self.method, self.path.replace("{" + self.name + "}", quoted), None
        return self.method, self.path, json.dumps(self.body(word)).encode()


# What changes nothing: every query parameter of a GET that takes words, one path of each service, and searches by body.
BODIES = [("clinical", "POST", "/v1/patients/search", "search"), ("clinical", "POST", "/v1/patients/search", "cursor")]
# Not asked, because guesses are counted here and the tally would answer after the fifth: sqlmap asks the login, with the tally emptied.
COUNTED = {"/v1/auth/password", "/v1/auth/step-up", "/v1/auth/contact", "/v1/auth/contact/confirmation", "/v1/auth/factors/totp/confirmation",
           "/v1/auth/passkeys"}
# Who of the demo clinic has which role, those who may most first.
PEOPLE = ["admin", "reception", "doctor", "pharmacist", "nurse", "lab", "patient"]


def who_may():
    """{(method, path): somebody of the demo clinic who may}, from the declared policy; None stands for nobody in particular."""
    may = {}
    for line in (POLICY / "matrix.txt").read_text().splitlines():
        if line and not line.startswith(("#", "field")):
            head, roles = line.split("|")
            method, pattern, permission = head.split()
            roles = roles.split()
            path = re.sub(r":([A-Za-z]+)", r"{\1}", pattern)
            may[(method, path)] = None if permission == "anyone" else "owner" if permission == "signedIn" else next((p for p in PEOPLE if p in roles), None)
    return may


def parameters(document):
    found, seen, may = [], set(), who_may()
    for path, methods in sorted(document["paths"].items()):
        what = methods.get("get")
        if not what or path.startswith("/internal") or path.endswith(("/live", "/events")):
            continue
        service = what["tags"][0]
        for parameter in what.get("parameters", []):
            schema = parameter.get("schema", {})
            if parameter["in"] == "query" and schema.get("type") == "string" and "{" not in path:
                found.append(Parameter(service, "GET", path, "query", parameter["name"], may[("GET", path)]))
            elif parameter["in"] == "path" and service not in seen and path.count("{") == 1:
                seen.add(service)
                found.append(Parameter(service, "GET", path, "path", parameter["name"], may[("GET", path)]))
    return found + [Parameter(s, m, p, "body", n) for s, m, p, n in BODIES]


class World:
    """One record of each kind that a word may be about, made here, so that nobody's own is written over."""

    def __init__(self, clinic):
        self.door = clinic
        admin, desk, drug = (clinic.as_(name) for name in ("admin", "reception", "pharmacist"))
        email = f"payload-{uuid.uuid4().hex[:10]}@demo.example"
        account = admin.open_account({"name": "Dr. Payload", "email": email, "roles": ["doctor"], "licence": {
            "number": "MCI-2026-001", "authority": "Council", "validUntil": "2199-12-31", "seen": ["licence", "identity"]}})["id"]
        self.emails = {"owner": email, "doctor": email}
        doctor = self.sign_in("doctor")
        site = doctor.get("/v1/auth/me")["locationId"]
        patient = desk.post("/v1/patients", {"name": "Payload Patient", "birthDate": "1980-02-29", "phone": "+919876543210"})["id"]
        visit = doctor.post("/v1/visits", {"patientId": patient})["id"]
        medicine = drug.post("/v1/inventory/medicines", {
            "name": "Payloadol", "form": "tablet", "unitPrice": {"amount": 100, "currency": "INR"}, "taxPercent": 12})["id"]
        batch = drug.post("/v1/inventory/batches", {"medicineId": medicine, "lotNumber": "P1", "quantity": 10, "expiryDate": "2099-01-01"})["id"]
        invoice = desk.post("/v1/invoices", {"visitId": visit, "mode": "MANUAL", "lines": [
            {"description": "Payload", "quantity": 1, "unitPrice": {"amount": 100, "currency": "INR"}}]})["id"]
        client = admin.post("/v1/auth/clients", {"name": "Payload", "grantTypes": ["client_credentials"], "scopes": ["scheduling.read"], "roles": ["reception"]})["id"]
        found = admin.eventually(f"/v1/providers?accountId={account}", lambda a: a["items"] and a["items"][0]["licensed"])
        provider, day = found["items"][0]["id"], str(datetime.date.today() + datetime.timedelta(days=2))
        admin.post("/v1/slots/bulk", {"providerId": provider, "from": day, "to": day, "start": "09:00", "end": "11:00", "slotMinutes": 30})
        slot, other, *_ = [s["id"] for s in admin.get(f"/v1/slots?providerId={provider}&date={day}&status=free")["items"]]
        appointment = desk.post("/v1/appointments", {"slotId": slot, "patientId": patient})["id"]
        self.of = {"patients": patient, "visits": visit, "medicines": medicine, "batches": batch, "invoices": invoice, "clients": client, "users": account,
                   "providers": provider, "appointments": appointment, "slots": other}
        # `percent` is left out: a discount is an amount or a share of it.
        self.known = {"patientId": patient, "visitId": visit, "medicineId": medicine, "batchId": batch, "locationId": site, "accountId": account,
                      "providerId": provider, "slotId": other, "percent": None}

    def sign_in(self, name):
        """Anew for each parameter: some writes want to see who it is that minute."""
        return self.door.as_(self.emails.get(name, name))

    def writes(self, document):
        """Every field of words in the body of what writes: the body is valid but for the word."""
        found, may = [], who_may()
        for (method, pattern), operation in bodies.operations(document).items():
            schema, path = bodies.schema_of(operation), re.sub(r":([A-Za-z]+)", r"{\1}", pattern)
            if method in ("GET", "DELETE") or not schema or may.get((method, path)) is None or pattern in COUNTED | {b[2] for b in BODIES}:
                continue
            parts = pattern.split("/")
            filled = "/".join(self.of.get(parts[i - 1], bodies.new_id()) if part.startswith(":") else part for i, part in enumerate(parts))
            needed = schema.get("required", []) + ALSO.get((method, pattern), [])
            schema = {**schema, "required": needed}
            for optional in [None, *(f for f in schema.get("properties", {}) if f not in needed)]:
                for number, (name, leaf) in enumerate(self.leaves(schema, optional)):
                    if "pattern" not in leaf and "format" not in leaf:
                        found.append(Parameter(
                            operation["tags"][0], method, filled, "body", name, may[(method, path)],
                            lambda word, schema=schema, optional=optional, number=number: self.body(schema, optional, number, word),
                            min(100, leaf.get("maxLength", 100)), re.sub("/(health|quarantine)$", "", filled) if method in ("PATCH", "PUT") else None))
        return found

    def leaves(self, schema, optional):
        """The words of what a body of this schema must have, or of the one optional field, in order."""
        seen = []
        self.valid(schema, optional, lambda name, leaf: seen.append((name, leaf)))
        return seen

    def body(self, schema, optional, number, word):
        count = itertools.count()
        return self.valid(schema, optional, lambda name, leaf: word if next(count) == number else None)

    def valid(self, schema, optional, text):
        if optional is None:
            return bodies.valid(schema, self.known, text=text)
        return {**bodies.valid(schema, self.known), optional: bodies.valid(schema["properties"][optional], self.known, True, text, optional)}


# What a rule wants besides the schema.
ALSO = {("POST", "/v1/auth/clients"): ["scopes", "roles"]}
# Words of a form of their own, which a field takes.
HARMLESS = {**{name: word for name, word in bodies.WORDS.items() if isinstance(word, str)}, "email": "payload@demo.example", "contact": "payload@demo.example"}
# Said before a handler has looked at what was sent.
AT_THE_DOOR = (401, 403, 405, 415, 429)


def try_all(parameter, words, host, port, world):
    """Everything at one parameter, on one connection; what was wrong, and the slowest answer."""
    wrong, slowest, statuses, version = [], (0, ""), {}, None
    connection = http.client.HTTPConnection(host, port, timeout=20)
    client = world.sign_in(parameter.who) if parameter.who else None

    def ask(word):
        nonlocal version, connection
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {client.token}"} if client else {})}
        method, path, body = parameter.request(word)
        if parameter.reread and not version:
            version = client.call("GET", parameter.reread).headers.get("etag", '"1"')
        if version:
            headers["If-Match"] = version
        for attempt in (0, 1):
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                if attempt:
                    raise
        version = answer.getheader("ETag") if answer.status == 200 else version if answer.status not in (409, 412) else None
        return answer.status, said

    harmless, _ = ask(HARMLESS.get(parameter.name, "matrix matrix matrix")[:parameter.most] if parameter.place == "body" else "matrix")
    if harmless in AT_THE_DOOR or harmless >= 500 or parameter.place == "body" and parameter.name != "cursor" and harmless == 400:
        wrong.append(f"{parameter} answered {harmless} to a harmless word: nothing of it is tried here")
    for word in words:
        if len(word) > parameter.most:
            continue
        began = time.perf_counter()
        status, said = ask(word)
        took = time.perf_counter() - began
        statuses[status] = statuses.get(status, 0) + 1
        slowest = max(slowest, (took, word))
        if status >= 500:
            wrong.append(f"{parameter} answered {status} to {word!r}")
        if status >= 400 and re.search(rb"syntax error|SQLSTATE|PostgresError|pg_(?:catalog|sleep|user|tables)", said):
            wrong.append(f"{parameter} spoke of SQL to {word!r}")
        # Nobody sleeps for five seconds here but who was told to.
        if took > 4:
            wrong.append(f"{parameter} took {took:.1f} s for {word!r}")
    connection.close()
    asked, turned_away = sum(statuses.values()), sum(statuses.get(status, 0) for status in AT_THE_DOOR)
    if turned_away * 100 > asked or asked < min(5, len(words)):
        wrong.append(f"{parameter}: of {asked} payloads {turned_away} were refused before anybody looked at them: {statuses}")
    return parameter, wrong, slowest, statuses


def run(url, clinic, document, most=None):
    words = corpus()
    place = urllib.parse.urlsplit(url)
    world = World(clinic)
    # What writes keeps what it is sent, so it gets some of them, spread over all kinds.
    targets = [(p, words[::41]) for p in world.writes(document)] + [(p, words) for p in parameters(document)]
    targets = targets[:most]
    wrong, total, per_service = [], 0, {}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for parameter, bad, slowest, statuses in pool.map(lambda t: try_all(*t, place.hostname, place.port, world), targets):
            wrong += bad
            total += sum(statuses.values())
            one = per_service.setdefault(parameter.service, [0, 0, 0, 0.0])
            one[0] += 1
            one[1] += sum(statuses.values())
            one[2] += sum(n for status, n in statuses.items() if status < 300)
            one[3] = max(one[3], slowest[0])
    for service, (count, sent, taken, slowest) in sorted(per_service.items()):
        print(f"  {service:14} {count:3} parameters, {sent:7} payloads, {taken:7} of them taken as words, slowest answer {slowest * 1000:.0f} ms")
    print(f"  {len(words)} payloads for each parameter that reads, {len(words[::41])} for each that writes, {len(targets)} parameters: {total} sent, {len(wrong)} findings")
    for line in wrong[:40]:
        print("   ", line)
    return not wrong


if __name__ == "__main__":
    print(len(corpus()))
