"""As many entries in the audit trail as requests: every route that tells of patients, asked by every role (S15)."""
import sys
import uuid

from test_access import POLICY, world  # noqa: F401

sys.path.insert(0, str(POLICY))
import access  # noqa: E402

EXPORT = "/internal/export/patients/:id"
# What answers with something about patients. One entry a request, in the service that was asked.
TELLS = {
    "auth": {"/v1/auth/proxies", EXPORT},
    "scheduling": {"/v1/appointments", "/v1/appointments/:id", "/v1/providers/:id/ratings", EXPORT},
    "queue": {"/v1/queue/today", "/v1/queue/tokens/:id", EXPORT},
    "clinical": {"/v1/patients", "/v1/patients/:id", "/v1/patients/:id/visits", "/v1/patients/:id/versions", "/v1/patients/:id/consents", "/v1/patients/:id/export",
                 "/v1/visits/:id", "/v1/visits/:id/versions", "/v1/visits/:id/notes", "/v1/visits/:id/addenda", "/v1/prescriptions/:id", "/v1/prescriptions/:id/print",
                 "/v1/patients/search", "/v1/reports/visit-history", "/v1/break-glass", "/v1/patients/:id/requests", "/v1/privacy-requests"},
    "pharmacy": {"/v1/dispensing/:id", EXPORT},
    "billing": {"/v1/invoices", "/v1/invoices/:id", EXPORT},
    "notifications": {EXPORT},
    "reporting": {"/v1/patients/:id/access-log", "/v1/reports/audit-logs", EXPORT},
    "portal": set(),
}
# What does not: a new route must be put into one of the two.
SILENT = {
    "auth": {"/v1/auth/clients", "/v1/auth/clients/:id", "/v1/auth/factors", "/v1/auth/licence", "/v1/auth/licences", "/v1/auth/me", "/v1/auth/me/export",
             "/v1/auth/passkeys", "/v1/auth/policy", "/v1/auth/sessions", "/v1/auth/consents", "/v1/locations", "/v1/tenants/settings", "/v1/users", "/v1/users/:id",
             "/v1/users/:id/licence", "/v1/users/:id/licence/documents/:document", "/internal/names/accounts"},
    "scheduling": {"/v1/providers", "/v1/providers/:id", "/v1/slots", "/v1/slots/:id"},
    "queue": {"/v1/queue/display", "/v1/queue/display/events", "/v1/queue/summary", "/v1/queue/today/summary"},
    "clinical": {"/v1/charts/policy", "/v1/retention"},
    "pharmacy": {"/v1/inventory/batches", "/v1/inventory/batches/:id", "/v1/inventory/expiring", "/v1/inventory/low-stock",
                 "/v1/inventory/medicines", "/v1/inventory/medicines/:id", "/v1/inventory/movements"},
    "billing": set(),
    "notifications": {"/v1/notifications", "/v1/notifications/live"},
    "reporting": {"/v1/reports/daily-summary", "/v1/reports/stock-movements"},
    "portal": set(),
}


# What is asked for by POST and changes nothing: a name does not belong into an address.
ASKED_BY_BODY = {"/v1/patients/search"}


def guarded(routes):
    """The routes that read for somebody; cards are ids and states that services ask each other for."""
    return [(service, method, pattern) for service, method, pattern, permission, _ in routes
            if (method == "GET" or pattern in ASKED_BY_BODY) and permission not in ("anyone", "readCards")]


def test_it_is_said_of_every_route_whether_it_tells_of_patients(world):  # noqa: F811
    said = {service: TELLS[service] | SILENT[service] for service in TELLS}
    assert not [(s, p) for s in TELLS for p in TELLS[s] & SILENT[s]]
    there = {(s, p) for s, _, p in guarded(world[0])}
    unsaid = [(s, p) for s, p in there if p not in said[s]]
    assert not unsaid, f"put these into TELLS or SILENT: {unsaid}"
    gone = [(s, p) for s in said for p in said[s] if (s, p) not in there]
    assert not gone, f"no such routes: {gone}"


def test_as_many_entries_as_requests(world, database):  # noqa: F811
    routes, services, tokens, sets, ids, documented = world
    asked = {}
    for service, method, pattern in guarded(routes):
        if pattern not in TELLS[service]:
            continue
        path, body, _ = access.probe(method, pattern, sets["own"], sets["own"], ids, documented.get((method, pattern)))
        for role in access.ROLES:
            trace = uuid.uuid4().hex
            status, _ = services.call(service, method, path, tokens(role, "own"), body, access.traced(trace))
            assert status in (200, 403, 404), (service, pattern, role, status)
            asked[trace] = (service, pattern, role, status)
    assert any(pattern in ASKED_BY_BODY and status == 200 for _, pattern, _, status in asked.values())
    found, wrong = {}, []
    for trace, left in access.entries(database, asked).items():
        for service, entry in left:
            found.setdefault((trace, service), []).append(entry)
    for trace, (service, pattern, role, status) in asked.items():
        entries = found.get((trace, service), [])
        # An answer is a read, a refusal is a refusal, and somebody without the role is refused with no patient looked at.
        if len(entries) != 1 or entries[0]["allowed"] != (status == 200) or (
                pattern in ASKED_BY_BODY and status == 200 and (entries[0]["action"], entries[0]["resource"]) != ("list", "patient_list")):
            wrong.append((service, pattern, role, status, [(e["action"], e["resource"], e["allowed"]) for e in entries]))
        # Another service that was asked on the way says so once as well.
        wrong += [(s, pattern, role, "on the way", len(e)) for (t, s), e in found.items() if t == trace and s != service and len(e) != 1]
    assert not wrong, "\n".join(map(str, wrong[:40]))
    print(f"{len(asked)} requests, as many entries")
    answered = [k for k, v in asked.items() if v[3] == 200]
    named = lambda e: e.get("patientId") or "patients" in (e.get("after") or {}) or e["resource"] == "queue"  # noqa: E731
    assert all(named(found[(t, asked[t][0])][0]) for t in answered)
