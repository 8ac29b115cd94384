"""The access matrix: every route x every role x {own, other patient, other site, other tenant, another's record below
one's own, no token, expired, revoked}; and what each list shows of whose records.

Each cell is one call to the running services, at their own ports. Requests are made so that nothing changes when they
are allowed, as far as that is possible: a stale version, a thing that is done already. Every body is valid by the
OpenAPI document, so that what answers is the rule about the record and not the form. The matrix compares statuses, the
lists compare identifiers.
"""
import base64
import collections
import http.client
import json
import pathlib
import time
import uuid

import jwt

from bodies import new_id, schema_of, valid

ROLES = ["patient", "proxy", "doctor", "nurse", "reception", "cashier", "pharmacist", "lab", "admin", "auditor", "service", "display"]
# Whose record it is. `nested` is another patient's record under the address of one's own.
KINDS = ["own", "other", "site", "tenant", "nested", "none", "expired", "revoked"]
SERVICES = ["auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal"]
# What would alter what later cells see comes last, in this order.
LAST = ["/v1/patients/:id/restriction", "/v1/patients/:id/referrals", "/v1/patients/:id/break-glass",
        "/v1/patients/:id/erasure", "/v1/auth/licence/documents", "/v1/auth/licence/submission", "/v1/auth/licence"]
# Streams answer for as long as somebody listens: the status is all that is read of them.
STREAMS = {"/v1/queue/display/events", "/v1/notifications/live"}


def routes(run):
    """(service, method, pattern, permission, roles) of every route, from the binaries themselves."""
    for service in SERVICES:
        for line in run(service).splitlines():
            if not line or line.startswith(("#", "field")):
                continue
            head, roles = line.split("|")
            method, pattern, permission = head.split()
            yield service, method, pattern, permission, set(roles.split())


def fields(run):
    """(method, pattern, field, roles) of every field that is for some roles only, from the binaries themselves."""
    for service in SERVICES:
        for line in run(service).splitlines():
            if line.startswith("field"):
                head, roles = line.split("|")
                _, method, pattern, field = head.split()
                yield method, pattern, field, set(roles.split())


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


class Mint:
    """Signs tokens for anybody: the claims of a real one, with other people in them."""

    def __init__(self, key_file, sample):
        self.key = pathlib.Path(key_file).read_text()
        head, claims = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in sample.split(".")[:2]]
        self.head, self.claims = {k: head[k] for k in ("kid", "typ")}, claims

    def __call__(self, role, *, tenant=None, location=None, account=None, patient=None, age=0):
        now = time.time() - age
        claims = {**self.claims, "roles": [role], "sub": account or new_id(), "sid": new_id(), "jti": new_id(),
                  "tid": tenant or self.claims["tid"], "loc": location or self.claims["loc"],
                  "iat": now, "exp": now + 600, "auth_time": now, "acr": "aal2"}
        claims.pop("pat", None)
        if patient and role == "proxy":  # who acts for somebody has no record of their own
            claims["for"] = [patient]
        elif patient:
            claims["pat"] = patient
        return jwt.encode(claims, self.key, "ES256", self.head)


class Services:
    """The services' own ports, a kept-alive connection to each."""

    def __init__(self, data):
        self.ports = {}
        for service in SERVICES:
            for line in pathlib.Path(data, "env", service).read_text().splitlines():
                if line.startswith("PORT="):
                    self.ports[service] = int(line[5:])
        self.open = {}

    def call(self, service, method, path, token, body=None, headers=None):
        # An address of its own: what is refused here must not slow down whoever signs in from this machine.
        sent = {"Accept": "application/json", "X-Forwarded-For": "192.0.2.77", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent["Content-Type"] = "application/json"
        stream = path.split("?")[0] in STREAMS
        for attempt in (0, 1):
            connection = self.open.pop(service, None) or http.client.HTTPConnection("127.0.0.1", self.ports[service], timeout=20)
            try:
                connection.request(method, path, data, sent)
                answer = connection.getresponse()
                if stream:
                    connection.close()
                    return answer.status, b""
                read = answer.read()
                self.open[service] = connection
                return answer.status, read
            except (http.client.HTTPException, OSError):
                connection.close()
                if attempt:
                    raise


STALE = {"If-Match": '"999999"'}


def probe(method, pattern, r, below, ids, operation):
    """(path, body, headers) of the call for one record set `r`; what lies below it is of the set `below`."""
    word = pattern.split("/")
    what = {"patients": "patient", "visits": "visit", "prescriptions": "prescription", "appointments": "appointment", "queue": "token",
            "invoices": "invoice", "dispensing": "dispensing", "medicines": "medicine", "batches": "batch", "slots": "slot",
            "providers": "provider", "users": "account", "locations": "location", "accounts": "doctor", "tokens": "token",
            "break-glass": "glass", "privacy-requests": "asked"}
    path = pattern
    if ":id" in word:
        place = word.index(":id")
        path = pattern.replace(":id", r.get(what.get(word[place - 1]), ids["nobody"]))
    for part in word:  # whatever else an address names
        if part.startswith(":") and part != ":id":
            path = path.replace(part, below.get(part[1:], ids["nobody"]))
    schema = schema_of(operation) if operation and method not in ("GET", "DELETE") else None
    body = None if method in ("GET", "DELETE") else {}
    if schema and method == "PATCH" and not schema.get("required"):  # one field is enough, and an old version stops it
        field = next(iter(schema["properties"]))
        body = {field: valid(schema["properties"][field], {}, name=field)}
    elif schema:
        body = valid(schema, {"patientId": r["patient"], "providerId": r["provider"], "accountId": r["account"],
                              "medicineId": r["medicine"], "prescriptionId": r["prescription"], "visitId": r["visit"],
                              "slotId": r["slot"], "appointmentId": r["appointment"], "locationId": r["location"]})
    bodies = {
        ("POST", "/v1/appointments"): {"slotId": r["slot"], "patientId": r["patient"]},
        ("PATCH", "/v1/appointments/:id"): {"reason": "matrix"},
        ("POST", "/v1/appointments/:id/decision"): {"accepted": True},
        ("POST", "/v1/appointments/:id/rating"): {"score": 4},
        ("POST", "/v1/queue/check-in"): {"appointmentId": r["appointment"]},
        ("POST", "/v1/queue/walk-in"): {"patientId": r["patient"], "providerId": r["provider"]},
        ("POST", "/v1/queue/next"): {"providerId": ids["nobody"]},
        ("POST", "/v1/visits"): {"patientId": r["patient"]},
        ("PATCH", "/v1/visits/:id"): {"vitals": {"pulse": 70}},
        ("POST", "/v1/visits/:id/notes"): {"category": "OBSERVATION", "text": "matrix"},
        ("POST", "/v1/visits/:id/addenda"): {"text": "matrix"},
        ("POST", "/v1/prescriptions"): {"visitId": r["visit"], "overrideReason": "matrix", "items": [
            {"medicineId": r["medicine"], "dose": 1, "frequencyPerDay": 1, "durationDays": 1}]},
        ("PATCH", "/v1/patients/:id"): {"address": "matrix"},
        ("PUT", "/v1/patients/:id/restriction"): {"restricted": False},
        ("POST", "/v1/patients/:id/consents"): {"purpose": "reminders", "document": "matrix", "documentVersion": "1"},
        ("POST", "/v1/patients/:id/referrals"): {"accountId": ids["nobody"]},
        ("POST", "/v1/patients/:id/break-glass"): {"reason": "To fill the access matrix"},
        ("POST", "/v1/patients/:id/requests"): {"kind": "restriction", "words": "matrix"},
        ("POST", "/v1/privacy-requests/:id/answer"): {"outcome": "done"},
        ("POST", "/v1/invoices"): {"visitId": r["signed"], "mode": "AUTO"},
        ("POST", "/v1/invoices/:id/pay"): {"method": "CASH"},
        ("POST", "/v1/invoices/:id/refunds"): {"reason": "matrix", "amount": {"amount": 99_999_999, "currency": "INR"}},
        ("POST", "/v1/dispensing"): {"prescriptionId": r["prescription"]},
        ("PUT", "/v1/charts/policy"): {"policy": "care"},
        ("POST", "/v1/auth/contact"): {"contact": f"{new_id()}@matrix.example"},
        ("POST", "/v1/auth/proxies"): {"accountId": r["account"], "patientId": r["patient"], "relation": "child", "proof": "patient_consent"},
        ("POST", "/v1/auth/clients"): {"name": "matrix", "grantTypes": ["client_credentials"], "scopes": ["queue.read"], "roles": ["service"]},
        ("POST", "/v1/users/:id/licence/decision"): {"verified": True},
    }
    body = bodies.get((method, pattern), body)
    if pattern in ("/v1/visits/:id/complete", "/v1/visits/:id/addenda"):
        path = path.replace(r["visit"], r["signed"])
    if pattern == "/v1/appointments/:id" and method == "DELETE":
        path += "?reason=matrix"  # a doctor says why
    if pattern == "/v1/patients/:id" and method == "DELETE":
        path = path.replace(r["patient"], r["spare"])
    if pattern == "/v1/patients/:id/erasure":
        path = path.replace(r["patient"], r["leaver"])
    if pattern.startswith("/v1/users/:id/licence"):
        path = path.replace(r["account"], r["licensee"])
    if pattern == "/v1/reports/daily-summary":
        path += "?date=2026-01-01"
    return path, body, STALE


def has_nested(pattern):
    return pattern.count("/:") > 1


def matrix(routes_of, services, tokens, sets, ids, documented, answers, traces):
    """{(service, method, pattern, kind): {role: status}} of every cell; what was said goes to `answers`, and by which trace to `traces`.

    The service is part of it: seven of them answer `GET /internal/export/patients/:id`, each with rows of its own.
    """
    cells = collections.OrderedDict()
    order = sorted(routes_of, key=lambda r: (LAST.index(r[2]) + 1 if r[2] in LAST else 0, r[2], r[1]))
    for service, method, pattern, permission, _ in order:
        for kind in KINDS:
            if permission == "anyone" and kind != "none" or kind == "nested" and not has_nested(pattern):
                continue
            of = sets.get(kind, sets["own"])
            path, body, headers = probe(method, pattern, of, sets["other"] if kind == "nested" else of, ids, documented.get((method, pattern)))
            for role in (["-"] if kind == "none" else ROLES):
                token, trace = None if kind == "none" else tokens(role, kind), uuid.uuid4().hex
                status, said = services.call(service, method, path, token, body, {**headers, **traced(trace)})
                answers.append((service, method, pattern, kind, role, status, said))
                traces.append(trace)
                if pattern == "/v1/auth/step-up" and status == 429:
                    status = 401  # a wrong proof; which one of many at once is told to wait as well is chance
                by_role = cells.setdefault((service, method, pattern, kind), {})
                assert role not in by_role, (service, method, pattern, kind, role)  # no cell is written over
                by_role[role] = status
    return cells


def text(cells):
    """One line for each route and relation: statuses, each with the roles that get it."""
    lines = ["# What every call is answered, by role and by whose record it is about. Made by calling every cell:",
             "# `ACCESS_REGENERATE=1 Tests/run journeys -k access`; the test compares it whole. Read its diff."]
    for (service, method, pattern, kind), by_role in sorted(cells.items(), key=lambda c: (c[0][2], c[0][1], SERVICES.index(c[0][0]), KINDS.index(c[0][3]))):
        groups = collections.OrderedDict()
        for role in by_role:
            groups.setdefault(by_role[role], []).append(role)
        said = "  ".join(f"{status} {'*' if len(roles) == len(ROLES) else ' '.join(roles)}" for status, roles in sorted(groups.items()))
        lines.append(f"{service:13} {method:6} {pattern:52} {kind:7} {said}")
    return "\n".join(lines) + "\n"


# --- what is left in the audit trail ------------------------------------------------------------

# Writes that leave no entry because of what they are. A test fails when one of them leaves one, or is done nowhere any more.
WITHOUT_ENTRY = {
    ("auth", "POST", "/oauth2/authorize"): "begins an attempt in a browser where nobody has signed in yet; whoever does leaves the entry",
    ("auth", "POST", "/oauth2/introspect"): "a question: what a token is worth",
    ("auth", "POST", "/oauth2/userinfo"): "a question: who its own person is",
    ("auth", "POST", "/v1/auth/contact"): "asks for a code; what the code changes leaves the entry",
    ("auth", "POST", "/v1/auth/password-reset"): "asks for a code; what the code changes leaves the entry",
    ("auth", "POST", "/v1/auth/sign-up"): "asks for a code; what the code opens leaves the entry",
    ("auth", "POST", "/v1/auth/factors/totp"): "a key that opens nothing until it is confirmed, which leaves the entry",
    ("auth", "POST", "/v1/auth/passkeys/challenge"): "a challenge; signing in with it leaves the entry",
    ("auth", "POST", "/v1/auth/passkeys/registration"): "a challenge; the passkey that answers it leaves the entry",
    ("auth", "POST", "/v1/auth/refresh"): "the next token of a session whose beginning left the entry",
    ("notifications", "POST", "/v1/notifications/:id/read"): "a person's own mark at a notice that holds ids only",
}
# Writes of which the matrix does many in vain: it was so already, nothing is changed and nothing is told. In test_zz_canaries.py,
# where each is done once and in earnest, none of them is excused.
REPEATED = {("auth", "POST", "/v1/auth/logout"), ("clinical", "DELETE", "/v1/patients/:id"),
            ("clinical", "DELETE", "/v1/patients/:id/consents/:consent"), ("clinical", "PUT", "/v1/patients/:id/restriction")}


def traced(trace):
    """The header by which a request's entries are found."""
    return {"traceparent": f"00-{trace}-{'1' * 16}-01"}


def entries(database, wanted):
    """{trace: [(service, entry)]} of these traces: of writes, of reads and of refusals, as the services committed them."""
    found = collections.defaultdict(list)
    for service in SERVICES[:-1]:
        for kind, traceparent, data in database.execute(
                f"select type, traceparent, data from {service}.outbox where type in ('audit.entry.recorded.v1', 'audit.access.recorded.v1')"):
            for entry in [data] if kind == "audit.entry.recorded.v1" else data["entries"]:
                trace = entry.get("traceId") or traceparent[3:35]  # a test's own row may have none
                if trace in wanted:
                    found[trace].append((service, entry))
    return found


def unrecorded(database, done, repeated=frozenset()):
    """What is wrong with the trail of these writes, {trace: (service, method, pattern)} of each that was done: one without an
    entry in its own service, and one that is excused for no reason any more."""
    found, told, silent = entries(database, done), set(), set()
    for trace, route in done.items():
        left = any(service == route[0] and entry["allowed"] for service, entry in found[trace])
        (told if left else silent).add(route)
    return sorted([(*route, "not recorded") for route in silent - set(WITHOUT_ENTRY) - repeated]
                  + [(*route, "excused, and recorded") for route in told & set(WITHOUT_ENTRY)]
                  + [(*route, "excused as a repetition, and always recorded") for route in repeated - silent])


# --- what lists show ----------------------------------------------------------------------------

# Of a patient, so nobody else's business; and what a clinic shows to everybody in it.
OF_PATIENTS = ("patient", "spare", "leaver", "appointment", "token", "signed", "visit", "prescription", "invoice", "dispensing", "glass", "consent", "asked")
OF_STAFF = ("account", "licensee", "document", "provider", "slot")
FILTERS = {"patientId": "patient", "visitId": "signed", "providerId": "provider", "accountId": "account", "resourceId": "patient",
           "medicineId": "medicine", "batchId": "batch", "locationId": "location"}


def lists(routes_of, documented):
    """(service, path, filter) of every GET that is about no one record: as it is, and narrowed by each reference it takes."""
    for service, method, pattern, permission, _ in sorted(routes_of, key=lambda r: r[2]):
        operation = documented.get((method, pattern))
        if method != "GET" or permission == "anyone" or pattern.count("/:") or pattern in STREAMS or not operation:
            continue
        takes = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        page = "limit=100" if "limit" in takes else "date=2026-01-01" if pattern == "/v1/reports/daily-summary" else ""
        for name in ["", *sorted(takes & set(FILTERS))] + (["search"] if pattern == "/v1/patients" else []) + (["status"] if pattern == "/v1/break-glass" else []):
            yield service, pattern, name, page


def pages(services, service, path, token):
    """The bodies of all pages; None where the first is refused."""
    read, cursor = [], ""
    while True:
        status, body = services.call(service, "GET", path + (f"&cursor={cursor}" if cursor else ""), token)
        if status != 200:
            return None
        read.append(json.loads(body))
        cursor = read[-1].get("nextCursor") if isinstance(read[-1], dict) else None
        if not cursor:
            return read


def seen(routes_of, services, tokens, sets, documented):
    """{(service, pattern, filter, whose, role): bodies} of every list for every role; `whose` are the records the filter names."""
    answers = {}
    for service, pattern, name, page in lists(routes_of, documented):
        for kind in ("own", "other", "site", "tenant") if name in FILTERS else ("own", "tenant"):
            value = {"search": "Matrix", "status": "all"}.get(name) or (sets[kind][FILTERS[name]] if name else "")
            query = "&".join(part for part in (page, f"{name}={value}" if name else "") if part)
            for role in ROLES:
                bodies = pages(services, service, pattern + "?" + query, tokens(role, kind))
                if bodies is not None:
                    answers[(service, pattern, name, kind, role)] = bodies
    return answers


def whose(bodies, sets, words):
    """The sets of which something stands in these bodies."""
    text = json.dumps(bodies)
    return [kind for kind in ("own", "other", "site") if any(sets[kind][word] in text for word in words)]


def lists_text(answers, sets):
    """One line for each list and filter: whose records are shown to which roles."""
    lines = ["# Whose records each list shows to whom, of patients and of staff: own, of another patient at the same site, of one at",
             "# another site. `-` is an empty answer. Made by reading every list: `ACCESS_REGENERATE=1 Tests/run journeys -k access`."]
    groups = collections.OrderedDict()
    for (service, pattern, name, kind, role), bodies in answers.items():
        if pattern == "/v1/reports/audit-logs":  # repeats what was asked until then, in vain too; tests of its own read it
            continue
        said = " ".join(whose(bodies, sets, OF_PATIENTS + OF_STAFF)) or "-"
        groups.setdefault((service, pattern, name or "all", kind), collections.OrderedDict()).setdefault(said, []).append(role)
    for (service, pattern, name, kind), by_sight in groups.items():
        said = "; ".join(f"{sight}: {' '.join(roles)}" for sight, roles in sorted(by_sight.items()))
        lines.append(f"{service:13} {pattern:32} {name:12} {kind:7} {said}")
    return "\n".join(lines) + "\n"
