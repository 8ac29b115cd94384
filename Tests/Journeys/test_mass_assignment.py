"""No write takes a field that is not declared, no tenant comes from a header or a query, and no answer says more than
the OpenAPI document does (S3). Made from the document, so a new route is covered by being there."""
import copy
import pathlib
import subprocess
import sys

import jsonschema
import pytest

from clinic import Clinic, unique

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Policy"))
import access  # noqa: E402
import bodies  # noqa: E402

# What a client would like to be able to set, as it might be called.
EXTRAS = {"role": "admin", "roles": ["admin"], "tenantId": "t", "tenant_id": "t", "tenant": "t", "accountId": "a", "patientId": "p", "price": 0, "amount": 0,
          "total": 0, "status": "PAID", "version": 99, "createdBy": "a", "createdAt": "2020-01-01T00:00:00Z", "id": "i", "isAdmin": True,
          "verified": True, "restricted": False, "locationId": "l", "__proto__": {"role": "admin"}}


@pytest.fixture(scope="module")
def world(env, stack, door):
    """A clinic of our own, a second one, and somebody of each role there; everything the documents say."""
    def tenant():
        email = f"{unique('admin')}@mass.example"
        stack("run", "auth", "bootstrap-tenant", "--name", unique("Mass"), "--location-name", "One", "--zone", "Etc/GMT",
              "--currency", "INR", "--admin-email", email, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
        return access.Mint(env["POLYCLINIC_DATA"] + "/secrets/jwt_private.pem", door.as_(email).token)

    here, there = tenant(), tenant()
    people = {role: Clinic(door.url, here(role, patient=access.new_id() if role in ("patient", "proxy") else None)) for role in access.ROLES}
    may = {}
    for _, method, pattern, permission, roles in access.routes(lambda s: subprocess.run(
            [f"{env['POLYCLINIC_DATA']}/bin/{s}", "routes", "--matrix"], check=True, capture_output=True, text=True).stdout):
        may[(method, pattern)] = [None] if permission == "anyone" else [r for r in access.ROLES if r in roles] or ["admin"]
    return door, here, there, people, may, bodies.operations(door.get("/v1/openapi.json").json)


def filled(pattern):
    for part in pattern.split("/"):
        if part.startswith(":"):
            pattern = pattern.replace(part, access.new_id())
    return pattern


def objects(value, pointer=""):
    """Every object of a body, with the pointer to it."""
    if isinstance(value, dict):
        yield pointer, value
        for name, member in value.items():
            yield from objects(member, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from objects(member, f"{pointer}/{index}")


def test_a_field_that_is_not_declared_is_refused_by_every_write_wherever_it_stands(world):
    door, _, _, people, may, documented = world
    refused = 0
    for (method, pattern), operation in documented.items():
        schema = bodies.schema_of(operation)
        if method == "GET" or not schema:
            continue
        client = people[may[(method, pattern)][0]] if may[(method, pattern)][0] else door
        whole = bodies.valid(schema, {}, whole=True)
        headers = {"If-Match": '"1"', "X-Forwarded-For": "192.0.2.77"}
        for pointer, _ in objects(whole):
            sent = copy.deepcopy(whole)
            place = next(o for p, o in objects(sent) if p == pointer)
            extras = {n: v for n, v in EXTRAS.items() if n not in place}
            declared = declared_at(schema, pointer)
            extras = {n: v for n, v in extras.items() if n not in declared}
            place.update(extras)
            answer = client.call(method, filled(pattern), sent, headers=headers)
            assert answer.status == 400 and answer.code == "invalid_request", (method, pattern, pointer, answer)
            unknown = {e["pointer"] for e in answer["errors"] if e["code"] == "unknown_field"}
            as_a_whole = {"pointer": pointer, "code": "invalid_money"}  # an amount with its currency has nothing to add
            assert unknown >= {f"{pointer}/{n}" for n in extras} or as_a_whole.items() <= answer["errors"][0].items(), (method, pattern, pointer, answer["errors"])
            refused += 1
    assert refused > 55
    print(f"{refused} objects of bodies refused {len(EXTRAS)} fields each")


def declared_at(schema, pointer):
    """The names that the schema knows at this place."""
    for part in [p for p in pointer.split("/") if p]:
        schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), {}) if "anyOf" in schema else schema
        schema = schema["items"] if part.isdigit() else schema["properties"][part]
    schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), {}) if "anyOf" in schema else schema
    return set(schema.get("properties", {}))


def test_a_write_that_takes_no_body_is_not_moved_by_one(world, database):
    """What has no schema has nothing to set: with a body or without, the same refusal, or the same effect."""
    door, _, _, people, may, documented = world
    asked = 0
    for (method, pattern), operation in documented.items():
        if method == "GET" or bodies.schema_of(operation) or operation.get("requestBody") or pattern.startswith("/oauth2"):
            continue
        client = people[may[(method, pattern)][0]] if may[(method, pattern)][0] else door
        answers = [client.call(method, filled(pattern), body, headers={"X-Forwarded-For": "192.0.2.77"}).status for body in (None, dict(EXTRAS))]
        asked += 1
        assert answers[1] in (400, answers[0]), (method, pattern, answers)
    assert asked > 10


def test_no_header_and_no_query_chooses_the_tenant(world, door):
    _, here, there, people, may, documented = world
    for tenant in (here, there):  # something to be seen, or not
        Clinic(door.url, tenant("reception")).post("/v1/patients", {"name": f"Mass {tenant.claims['tid'][-6:]}", "birthDate": "1980-02-29", "phone": "+919876543210"})
    theirs = Clinic(door.url, there("reception")).get("/v1/patients?search=Mass")["items"][0]
    foreign, asked = there.claims["tid"], 0
    headers = {"X-Tenant": foreign, "X-Tenant-Id": foreign, "X-Tenant-ID": foreign, "Tenant": foreign, "X-Polyclinic-Tenant": foreign, "Cookie": f"tenant={foreign}"}
    for (method, pattern) in documented:
        roles = may[(method, pattern)]
        if method != "GET" or roles == [None] or pattern.count("/:") or pattern in access.STREAMS:
            continue
        query = "?date=2026-01-01" if pattern == "/v1/reports/daily-summary" else ""
        for role in {"admin", "doctor", "patient"} & set(roles) or {roles[0]}:
            plain, moved = (people[role].call("GET", pattern + query, headers=h) for h in ({}, headers))
            assert plain.status == moved.status and foreign not in str(moved.json), (pattern, role, plain, moved)
            assert theirs["id"] not in moved.bytes.decode() and theirs["name"] not in moved.bytes.decode(), (pattern, role)
            for name in ("tenant", "tenantId", "tenant_id"):
                chosen = people[role].call("GET", f"{pattern}{query or '?'}{'&' if query else ''}{name}={foreign}")
                assert chosen.status == 400 or (chosen.status, theirs["id"] in chosen.bytes.decode()) == (plain.status, False), (pattern, role, name, chosen)
            asked += 1
    assert asked > 40
    made = people["reception"].post("/v1/patients", {"name": "Mass Header", "birthDate": "1980-02-29", "phone": "+919876543210"}, headers=headers)["id"]
    assert people["reception"].get(f"/v1/patients/{made}").status == 200
    assert Clinic(door.url, there("reception")).call("GET", f"/v1/patients/{made}").status == 404
