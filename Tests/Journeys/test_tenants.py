"""A second tenant sees nothing of the first through any route (S2, R: forced row-level security)."""
import os
import pathlib
import re
import uuid

import psycopg
import pytest

from clinic import Clinic, new_doctor, today, unique


@pytest.fixture(scope="module")
def other(env, stack, door):
    """The admin of a second clinic, made by the admin command."""
    email = f"{unique('admin')}@other.example"
    stack("run", "auth", "bootstrap-tenant", "--name", unique("Other Clinic"), "--location-name", "Harbour", "--zone", "Europe/London",
          "--currency", "GBP", "--admin-email", email, "--admin-password-file", env["POLYCLINIC_DATA"] + "/secrets/demo_password")
    return door.as_(email)


@pytest.fixture(scope="module")
def staff(other, door):
    """One account for each role there."""
    people = {}
    for role in ("doctor", "nurse", "reception", "pharmacist", "auditor", "lab"):
        email = f"{unique(role)}@other.example"
        other.open_account({"name": f"Other {role}", "email": email, "roles": [role]})
        people[role] = door.as_(email)
    return {**people, "admin": other}


def ids_of(value):
    """Every UUID anywhere in a document."""
    return set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", str(value)))


def test_nothing_of_the_first_is_seen_through_any_route(
        door, staff, admin, reception, pharmacist, doctor, make_patient, make_slots, make_medicine, make_prescription, database):
    client, provider = doctor
    patient, slots, medicine = make_patient("Zebulon Privateer"), make_slots(provider), make_medicine()
    booked = reception.post("/v1/appointments", {"slotId": slots[2]["id"], "patientId": patient["id"]})
    token = reception.post("/v1/queue/walk-in", {"patientId": patient["id"], "providerId": provider["id"]})
    visit, prescription = make_prescription(doctor, medicine, patient=patient)
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO"})
    reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"})
    dispensed = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]})
    account = admin.get("/v1/users?limit=1")["items"][0]
    ours = {patient["id"], booked["id"], token["id"], visit["id"], prescription["id"], invoice["id"], dispensed["id"],
            medicine["id"], provider["id"], account["id"], slots[0]["id"], slots[5]["id"], medicine["batches"][0]["id"]}

    document = door.get("/v1/openapi.json").json
    by_word = {"patients": patient, "appointments": booked, "slots": slots[0], "visits": visit, "prescriptions": prescription,
               "invoices": invoice, "dispensing": dispensed, "medicines": medicine, "providers": provider, "users": account,
               "batches": medicine["batches"][0], "queue": token}
    asked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            if method not in ("get", "post", "put", "patch", "delete") or path.startswith(("/v1/auth", "/docs", "/health", "/style", "/internal", "/.well-known", "/v1/notifications/live", "/v1/queue/display/events")) or path in ("/", "/v1/openapi.json"):
                continue
            words = path.split("/")
            filled = path
            for index, word in enumerate(words):
                if word.startswith("{"):
                    owner = next((by_word[w] for w in reversed(words[:index]) if w in by_word), patient)
                    filled = filled.replace(word, owner["id"])
            query = ""
            if path == "/v1/patients":
                query = "?search=Zebulon"
            for parameter in operations[method].get("parameters", []):
                name = parameter["name"]
                known = {"providerId": provider, "patientId": patient, "visitId": visit, "resourceId": booked, "medicineId": medicine}.get(name)
                if parameter["in"] == "query" and known:
                    query += ("&" if query else "?") + f"{name}={known['id']}"
                elif parameter["in"] == "query" and name == "date":
                    query += ("&" if query else "?") + f"date={today()}"
            body = {"slotId": slots[5]["id"], "patientId": patient["id"]} if path == "/v1/appointments" and method == "post" else {}
            for role, person in staff.items():
                answer = person.call(method.upper(), filled + query, None if method == "get" else body, headers={"If-Match": '"1"'})
                asked += 1
                assert answer.status < 500, (role, method, filled, answer)
                # Their own trail repeats what they asked for in vain; it says nothing of what is there.
                own_trail = path == "/v1/reports/audit-logs"
                assert "{" in path or own_trail or answer.status >= 400 or not ids_of(answer.json) & ours, (role, method, filled, answer)
                if "{" in path:
                    assert answer.status >= 400, (role, method, filled, answer)
                assert b"Zebulon" not in answer.bytes
    assert asked > 300


def test_another_tenants_ids_are_unknown_as_references(staff, door, patient_account, make_patient, doctor, make_medicine):
    client, provider = new_doctor(staff["admin"], "Dr. Other")
    stranger = make_patient()
    own = staff["reception"].post("/v1/patients", {"name": "Own One", "birthDate": "1990-01-01", "phone": "+447700900123"})
    for answer in [
        staff["reception"].call("POST", "/v1/queue/walk-in", {"patientId": stranger["id"], "providerId": provider["id"]}),
        staff["reception"].call("POST", "/v1/queue/walk-in", {"patientId": own["id"], "providerId": doctor[1]["id"]}),
        staff["doctor"].call("POST", "/v1/visits", {"patientId": stranger["id"]}),
        staff["pharmacist"].call("POST", "/v1/inventory/batches", {"medicineId": make_medicine()["id"], "lotNumber": "L", "expiryDate": "2099-01-01", "quantity": 1}),
    ]:
        assert answer.status in (404, 422), answer


SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting")
# What belongs to no tenant or must be read before one is known; each holds ids and states only.
WITHOUT_TENANT = {"schema_migration", "outbox", "outbox_sent", "outbox_told", "inbox", "inbox_revision", "isolation", "revoked_account", "revoked_session", "tenant_card", "keyed_tenant"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_a_tenant_is_under_forced_row_level_security(service, database):
    rows = database.execute("""
        select c.relname, c.relrowsecurity and c.relforcerowsecurity,
               exists (select from pg_policy p where p.polrelid = c.oid and p.polqual is not null and p.polwithcheck is not null),
               exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
        from pg_class c where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p')""", [service]).fetchall()
    assert rows
    bare = {name for name, forced, policy, tenant in rows if not (forced and policy)}
    allowed = WITHOUT_TENANT | ({"login", "login_failure", "tenant", "client_tenant", "tenant_key", "refresh_index", "spent_challenge", "contact_request", "allowed_origin"} if service == "auth" else {"tenant_key"} if service == "clinical" else set())
    assert bare <= allowed, bare - allowed


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_role_owns_nothing_and_reaches_no_other_schema(service, database):
    role = f"polyclinic_{service}"
    assert database.execute("select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = %s", [role]).fetchone() == (False,)
    assert database.execute("select count(*) from pg_class where relowner = %s::regrole", [role]).fetchone()[0] == 0
    others = database.execute("""
        select n.nspname from pg_namespace n where n.nspname = any(%s) and n.nspname <> %s and has_schema_privilege(%s, n.oid, 'usage')""",
        [list(SERVICES), service, role]).fetchall()
    assert others == []


@pytest.fixture(params=SERVICES)
def role(request, env):
    """A connection as the service's own role, and the tables whose rows belong to a tenant."""
    service = request.param
    password = pathlib.Path(env["POLYCLINIC_DATA"], "secrets", f"postgres_{service}").read_text().strip()
    url = re.sub(r"//[^@]+@", f"//polyclinic_{service}:{password}@", env["POSTGRES_URL"])
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [name for (name,) in connection.execute("""
            select c.relname from pg_class c where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
              and has_any_column_privilege(c.oid, 'select') order by 1""", [service])]
        yield service, connection, tables


def test_whatever_a_service_asks_with_another_tenant_set_row_level_security_shows_no_row(role, database):
    """The clause that a query forgot, in every table there is: the database still shows nothing foreign."""
    service, connection, tables = role
    assert connection.execute("""
        select rolsuper or rolbypassrls or pg_has_role(oid, (select relowner from pg_class c where c.oid = %s::regclass), 'member')
        from pg_roles where rolname = current_user""", [f"{service}.{tables[0]}"]).fetchone() == (False,)
    filled = [t for t in tables if database.execute(f'select exists (select from {service}."{t}")').fetchone()[0]]
    assert filled, "nothing is there to be seen"
    connection.execute("select set_config('app.tenant', %s, false)", [str(uuid.uuid4())])
    for table in tables:
        column = readable(connection, service, table)
        assert connection.execute(f'select count({column}) from {service}."{table}"').fetchone() == (0,), table

    # Of a tenant that has something, all that is shown is its own: as many rows as it owns.
    for table in filled:
        has_tenant = database.execute("select exists (select from pg_attribute where attrelid = %s::regclass and attname = 'tenant_id')",
                                      [f'{service}."{table}"']).fetchone()[0]
        assert has_tenant, f"{table} is under row-level security by something else than its tenant"
        tenant, count = database.execute(f'select tenant_id::text, count(*) from {service}."{table}" group by 1 order by 2 desc limit 1').fetchone()
        connection.execute("select set_config('app.tenant', %s, false)", [tenant])
        shown = connection.execute(f'select count({readable(connection, service, table)}) from {service}."{table}"').fetchone()[0]
        assert 0 < shown <= count + 50, table  # a relay or a sweeper may work meanwhile


def readable(connection, service, table):
    """A column that is never null and that this role may read; some hold secrets that only a function compares."""
    return '"' + connection.execute("""
        select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped and attnotnull
          and has_column_privilege(attrelid, attnum, 'select') order by attnum limit 1""", [f'{service}."{table}"']).fetchone()[0] + '"'


def test_whatever_a_service_asks_without_a_tenant_fails(role):
    service, connection, tables = role
    for table in tables:
        with pytest.raises(psycopg.Error):
            connection.execute(f'select count({readable(connection, service, table)}) from {service}."{table}"')
        connection.execute("select set_config('app.tenant', '', false)")  # what a pool leaves behind is no tenant either
        with pytest.raises(psycopg.Error):
            connection.execute(f'select count({readable(connection, service, table)}) from {service}."{table}"')
        connection.execute("reset app.tenant")


def test_no_foreign_row_can_be_written_either(role, database):
    """An insert or update that names another tenant is refused by the policy of every table."""
    service, _, tables = role
    for table in tables:
        policies = database.execute("""
            select polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
            from pg_policy where polrelid = %s::regclass""", [f'{service}."{table}"']).fetchall()
        for command, permissive, using, check in policies:
            assert (command, permissive, using) == ("*", True, check) and "app.tenant" in check, (table, command, using, check)
