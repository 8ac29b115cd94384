"""The access matrix: every route x every role x {own, other patient, other site, other tenant, no token, expired, revoked}.

Each cell is one call to the running services, at their own ports. Requests are made so that nothing changes when they
are allowed, as far as that is possible: a stale version, a thing that is done already. What is compared is the status.
"""
import base64
import collections
import http.client
import json
import pathlib
import time
import uuid

import jwt

ROLES = ["patient", "proxy", "doctor", "nurse", "reception", "cashier", "pharmacist", "lab", "admin", "auditor", "service", "display"]
KINDS = ["own", "other", "site", "tenant", "none", "expired", "revoked"]
SERVICES = ["auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal"]
# What would alter what later cells see comes last, in this order.
LAST = ["/v1/patients/:id/restriction", "/v1/patients/:id/referrals", "/v1/patients/:id/break-glass"]
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
        if patient:
            claims["pat"] = patient
        return jwt.encode(claims, self.key, "ES256", self.head)


def new_id():
    """A UUIDv7: what every identifier here is."""
    value = uuid.uuid4().int & ~(0xFFFF_FFFF_FFFF_F000 << 64) | (int(time.time() * 1000) << 80) | (7 << 76)
    return str(uuid.UUID(int=value))


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


def probe(method, pattern, r, ids):
    """(path, body, headers) of the call for one record set `r`."""
    word = pattern.split("/")
    what = {"patients": "patient", "visits": "visit", "prescriptions": "prescription", "appointments": "appointment", "queue": "token",
            "invoices": "invoice", "dispensing": "dispensing", "medicines": "medicine", "batches": "batch", "slots": "slot",
            "providers": "provider", "users": "account", "locations": "location", "accounts": "doctor", "tokens": "token",
            "break-glass": "glass"}
    path = pattern
    if ":id" in word:
        place = word.index(":id")
        path = pattern.replace(":id", r.get(what.get(word[place - 1]), ids["nobody"]))
    for part in word:  # whatever else an address names
        if part.startswith(":") and part != ":id":
            path = path.replace(part, ids["nobody"])
    body = None if method in ("GET", "DELETE") else {}
    bodies = {
        ("POST", "/v1/appointments"): {"slotId": r["slot"], "patientId": r["patient"]},
        ("PATCH", "/v1/appointments/:id"): {"reason": "matrix"},
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
        ("POST", "/v1/patients/:id/consents"): {"purpose": "treatment", "document": "matrix", "documentVersion": "1"},
        ("POST", "/v1/patients/:id/referrals"): {"accountId": ids["nobody"]},
        ("POST", "/v1/patients/:id/break-glass"): {"reason": "To fill the access matrix"},
        ("POST", "/v1/invoices"): {"visitId": r["signed"], "mode": "AUTO"},
        ("POST", "/v1/invoices/:id/pay"): {"method": "CASH"},
        ("POST", "/v1/invoices/:id/refunds"): {"reason": "matrix", "amount": {"amount": 99_999_999, "currency": "INR"}},
        ("POST", "/v1/dispensing"): {"prescriptionId": r["prescription"]},
        ("PUT", "/v1/charts/policy"): {"policy": "care"},
    }
    body = bodies.get((method, pattern), body)
    if pattern in ("/v1/visits/:id/complete", "/v1/visits/:id/addenda"):
        path = path.replace(r["visit"], r["signed"])
    if pattern == "/v1/patients/:id" and method == "DELETE":
        path = path.replace(r["patient"], r["spare"])
    if pattern == "/v1/reports/daily-summary":
        path += "?date=2026-01-01"
    return path, body, STALE


def matrix(routes_of, services, tokens, sets, ids):
    """{(method, pattern, kind): {role: status}} of every cell."""
    cells = collections.OrderedDict()
    order = sorted(routes_of, key=lambda r: (LAST.index(r[2]) + 1 if r[2] in LAST else 0, r[2], r[1]))
    for service, method, pattern, permission, _ in order:
        for kind in KINDS:
            if permission == "anyone" and kind != "none":
                continue
            path, body, headers = probe(method, pattern, sets[kind] if kind in sets else sets["own"], ids)
            for role in (["-"] if kind == "none" else ROLES):
                token = None if kind == "none" else tokens(role, kind)
                status, _ = services.call(service, method, path, token, body, headers)
                if pattern == "/v1/auth/step-up" and status == 429:
                    status = 401  # a wrong proof; which one of many at once is told to wait as well is chance
                cells.setdefault((method, pattern, kind), {})[role] = status
    return cells


def text(cells):
    """One line for each route and relation: statuses, each with the roles that get it."""
    lines = ["# What every call is answered, by role and by whose record it is about. Made by calling every cell:",
             "# `ACCESS_REGENERATE=1 Tests/run journeys -k access`; the test compares it whole. Read its diff."]
    for (method, pattern, kind), by_role in sorted(cells.items(), key=lambda c: (c[0][1], c[0][0], KINDS.index(c[0][2]))):
        groups = collections.OrderedDict()
        for role in by_role:
            groups.setdefault(by_role[role], []).append(role)
        said = "  ".join(f"{status} {'*' if len(roles) == len(ROLES) else ' '.join(roles)}" for status, roles in sorted(groups.items()))
        lines.append(f"{method:6} {pattern:52} {kind:7} {said}")
    return "\n".join(lines) + "\n"
