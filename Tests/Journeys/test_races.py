"""Races that only a moment decides, each held open at that moment: found by `make chaos`, and forced here.

What holds a statement is a function in a row-level policy, made for the test: the statement has its snapshot by then, and
waits for a lock of ours while something else commits. Then it goes on with what it saw.
"""
import concurrent.futures
import time

import psycopg
import pytest

from clinic import unique


class Gate:
    """While shut, statements of one shape on one table wait behind their snapshot."""

    def __init__(self, url, table, shape, volatility="stable"):
        """`stable` holds a scan that finds no row; `volatile` holds at a row, and is not asked while the statement is planned."""
        self.url, self.table, self.shape, self.volatility = url, table, shape, volatility
        self.number = int(unique("")[-8:], 16)
        self.name = f"gate_{self.number}"

    def __enter__(self):
        self.owner = psycopg.connect(self.url, autocommit=True)
        self.owner.execute(f"""
            create function public.{self.name}() returns uuid language plpgsql {self.volatility} as $$
            begin
                if current_query() like '{self.shape}' then
                    perform pg_advisory_lock_shared({self.number});
                    perform pg_advisory_unlock_shared({self.number});
                end if;
                return current_setting('app.tenant')::uuid;
            end $$""")
        # Compared with the first column of every index: it is asked for as the scan begins, though no row is found.
        self.owner.execute(f"create policy {self.name} on {self.table} as restrictive for select using (tenant_id = public.{self.name}())")
        return self

    def __exit__(self, *_):
        self.open()
        self.owner.execute(f"drop policy {self.name} on {self.table}")
        self.owner.execute(f"drop function public.{self.name}()")
        self.owner.close()

    def shut(self):
        self.owner.execute("select pg_advisory_lock(%s)", [self.number])

    def open(self):
        self.owner.execute("select pg_advisory_unlock_all()")

    def wait(self):
        """Until somebody stands before it."""
        until_waiting(self.owner, f"locktype = 'advisory' and objid = {self.number}")


def until_waiting(database, condition):
    end = time.monotonic() + 1.5  # a service waits 2 s for a lock
    while not database.execute(f"select exists (select from pg_locks where not granted and {condition})").fetchone()[0]:
        assert time.monotonic() < end, f"nobody waits: {condition}"
        time.sleep(0.005)


@pytest.fixture()
def meanwhile():
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        yield lambda call: threads.submit(call)


def test_a_repetition_that_looked_before_the_first_one_committed_is_given_its_answer(
        env, reception, doctor, make_slots, make_patient, meanwhile):
    """Seed 101: the repetition of a cancellation was told `not_cancellable`."""
    slot, key = make_slots(doctor[1])[-1], unique("once")
    booked = reception.post("/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]})["id"]
    cancel = lambda: reception.call("DELETE", f"/v1/appointments/{booked}", key=key)  # noqa: E731
    with Gate(env["POSTGRES_URL"], "scheduling.idempotency", "%::idempotency_key_unused%") as gate, \
            psycopg.connect(env["POSTGRES_URL"]) as holder:
        holder.execute("select from scheduling.appointment where id = %s for update", [booked])
        first = meanwhile(cancel)  # has the key, and waits for the appointment
        until_waiting(gate.owner, "locktype in ('transactionid', 'tuple')")
        gate.shut()
        second = meanwhile(cancel)  # has seen no answer under the key, and not yet tried the key's lock
        gate.wait()
        holder.rollback()
        assert first.result().status == 200
        gate.open()
        again = second.result()
    assert (again.status, again.headers.get("idempotent-replayed")) == (200, "true"), again
    assert again["id"] == booked and again["status"] == "cancelled"


def test_next_calls_who_waits_though_the_one_before_was_just_there(env, reception, own_doctor, make_patient, meanwhile):
    """Seed 102: a doctor was told that nobody waits while somebody did."""
    client, provider = own_doctor
    tokens = [reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})["id"] for _ in range(2)]
    assert client.post("/v1/queue/next", expect=200)["id"] == tokens[0]
    with Gate(env["POSTGRES_URL"], "queue.token", "%with called as%", "volatile") as gate:
        gate.shut()
        second = meanwhile(lambda: client.call("POST", "/v1/queue/next", {}))  # has seen the first one with the doctor
        gate.wait()
        reception.call("PATCH", f"/v1/queue/{tokens[0]}", {"status": "COMPLETED"}, expect=200)
        gate.open()
        called = second.result()
    assert called.status == 200, called
    assert called["id"] == tokens[1]


def test_two_first_requests_with_one_key_have_one_effect(env, reception, make_patient, meanwhile):
    """Both look for the key before either has committed: the database lets one in, the other gets its answer."""
    body, key = {"name": "Race One", "birthDate": "1980-02-29", "phone": "+919877777777"}, unique("once")
    register = lambda: reception.call("POST", "/v1/patients", body, key=key)  # noqa: E731
    with Gate(env["POSTGRES_URL"], "clinical.idempotency", "%::idempotency_key_unused%") as gate:
        gate.shut()
        both = [meanwhile(register) for _ in range(2)]
        gate.wait()
        time.sleep(0.2)
        gate.open()
        answers = [one.result() for one in both]
    made = {a["id"] for a in answers if a.status == 201}
    assert len(made) == 1 and {(a.status, a.code) for a in answers} <= {(201, None), (409, "request_in_progress")}, answers
    assert register()["id"] in made


def test_nobody_is_told_that_nobody_waits_while_the_first_is_being_called(env, reception, own_doctor, make_patient, meanwhile):
    """Two calls at once for one practitioner are heard one after the other: the second finds the first one's patient."""
    client, provider = own_doctor
    token = reception.post("/v1/queue/walk-in", {"patientId": make_patient()["id"], "providerId": provider["id"]})["id"]
    call = lambda: client.call("POST", "/v1/queue/next", {})  # noqa: E731
    with psycopg.connect(env["POSTGRES_URL"]) as holder, psycopg.connect(env["POSTGRES_URL"], autocommit=True) as watcher:
        holder.execute("""select from queue.queue_day where (location_id, local_date) =
            (select location_id, local_date from queue.token where id = %s) for update""", [token])
        first = meanwhile(call)  # has taken the token, and waits for the day's row
        until_waiting(watcher, "locktype in ('transactionid', 'tuple')")
        second = meanwhile(call)
        time.sleep(0.3)  # long enough to say something rash
        holder.rollback()
        assert first.result().status == 200 and first.result()["id"] == token
        assert (second.result().status, second.result().code) == (409, "already_serving"), second.result()
