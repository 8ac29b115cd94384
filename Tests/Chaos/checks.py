"""What must be true of the record when all is quiet again: each check returns what is wrong, as text.

By hand, on the stack that runs: `python Tests/Chaos/checks.py`.
"""
import functools
import os
import re
import subprocess
import sys
import time
from collections import namedtuple

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Journeys"))
import pika  # noqa: E402
import psycopg  # noqa: E402

import linear  # noqa: E402
from clinic import stack_environment  # noqa: E402

SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")
ALL_FACTS = " union all ".join(f"select id, type, tenant_id, occurred_at from {s}.outbox" for s in SERVICES)
# What was read and refused travels many entries to an event.
ALL_ACCESS = " union all ".join(
    f"select (e->>'id')::uuid as id from {s}.outbox, json_array_elements(data->'entries') e where type = 'audit.access.recorded.v1'"
    for s in SERVICES)
ALL_INBOXES = " union all ".join(f"select reaction, event_id, received_at from {s}.inbox" for s in SERVICES)


@functools.cache
def reactions():
    """What the services say they react to, as (event, reaction): one that never handled anything is among them."""
    found = []
    for service in SERVICES:
        said = subprocess.run([f"{stack_environment()['POLYCLINIC_DATA']}/bin/{service}", "routes", "--events"],
                              check=True, capture_output=True, text=True).stdout
        found += re.findall(r"^reacts to +(\S+) +as (\S+)$", said, re.MULTILINE)
    return found


# What a service keeps of another's facts, each time with the revision of the fact that it is of: the table, its key and its
# revision, and the facts that feed it, with whose they are. A card only moves forward, so in the end it is of the newest.
Card = namedtuple("Card", "table key revision service facts")
LICENCE = ("auth.licence.verified.v1", "auth.licence.withdrawn.v1")
DUTIES = ("auth.account.created.v1", "auth.account.roles_changed.v1")
BOOKING = ("scheduling.appointment.booked.v1", "scheduling.appointment.rescheduled.v1", "scheduling.appointment.cancelled.v1")
KEPT = (
    Card("scheduling.account_card", "account_id", "roles_revision", "auth", DUTIES),
    Card("scheduling.account_card", "account_id", "active_revision", "auth", ("auth.account.deactivated.v1", "auth.account.reactivated.v1")),
    Card("scheduling.account_card", "account_id", "licence_revision", "auth", LICENCE),
    Card("scheduling.provider", "id", "presence_revision", "queue", ("queue.provider.presence_changed.v1",)),
    Card("queue.provider_card", "provider_id", "revision", "scheduling", ("scheduling.provider.listed.v1", "scheduling.provider.retired.v1")),
    Card("queue.licence_card", "account_id", "revision", "auth", LICENCE),
    Card("queue.appointment_card", "appointment_id", "revision", "scheduling", BOOKING),
    Card("clinical.care_relation", "appointment_id", "revision", "scheduling", BOOKING),
    Card("clinical.licence_card", "account_id", "revision", "auth", LICENCE),
    Card("clinical.practitioner_card", "account_id", "revision", "auth", DUTIES),
    Card("clinical.medicine_card", "id", "revision", "pharmacy", ("pharmacy.medicine.listed.v1",)),
    Card("billing.medicine_card", "medicine_id", "revision", "pharmacy", ("pharmacy.medicine.listed.v1",)),
    Card("reporting.staff_card", "account_id", "revision", "auth", DUTIES),
)

# promise, what is wrong, and the statement that finds it. %(since)s is when the run began.
WRONG = [
    ("R1", "two live appointments of a practitioner overlap", """
        select a.id, b.id from scheduling.appointment a join scheduling.appointment b
          on a.tenant_id = b.tenant_id and a.provider_id = b.provider_id and a.id < b.id
         and tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
        where a.status in ('booked', 'arrived') and b.status in ('booked', 'arrived')"""),
    ("R1", "a patient is expected in two places", """
        select a.id, b.id from scheduling.appointment a join scheduling.appointment b
          on a.tenant_id = b.tenant_id and a.patient_id = b.patient_id and a.id < b.id
         and tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
        where a.status in ('booked', 'arrived') and b.status in ('booked', 'arrived')"""),
    ("R1", "a slot's state and its appointments disagree", """
        select s.id, s.status from scheduling.slot s
        left join scheduling.appointment a on a.slot_id = s.id and a.status <> 'cancelled'
        group by s.id having (s.status = 'booked') <> (count(a.id) = 1) or count(a.id) > 1"""),
    ("R1", "an appointment and its slot disagree about the time", """
        select a.id from scheduling.appointment a join scheduling.slot s on s.id = a.slot_id
        where a.status <> 'cancelled' and (a.starts_at, a.ends_at, a.provider_id) <> (s.starts_at, s.ends_at, s.provider_id)"""),
    ("R2", "an audit entry was lost", f"""
        select f.id from ({ALL_FACTS}) f left join reporting.audit_entry e on e.id = f.id
        where f.type = 'audit.entry.recorded.v1' and e.id is null"""),
    ("R2", "an audit entry came from nowhere", f"""
        select id from reporting.audit_entry where at > %(since)s
        except select id from ({ALL_FACTS}) f except select id from ({ALL_ACCESS}) a"""),
    ("R2", "an entry of what was read or refused was lost", f"""
        select a.id from ({ALL_ACCESS}) a left join reporting.audit_entry e on e.id = a.id where e.id is null"""),
    # Audit entries that left together have one event of their own: they are looked for in the trail, above.
    ("R2", "an event did not reach a reaction", f"""
        with facts as materialized (select * from ({ALL_FACTS}) f where type <> 'audit.entry.recorded.v1'), handled as materialized ({ALL_INBOXES}),
             wanted as (select * from unnest(%(events)s::text[], %(reactions)s::text[]) as w (type, reaction))
        select w.reaction, f.type, f.id from wanted w join facts f on f.type = w.type and f.occurred_at > %(since)s
        where not exists (select from handled h where h.reaction = w.reaction and h.event_id = f.id)"""),
    ("R2", "an inbox holds an event twice", f"""
        select reaction, event_id from ({ALL_INBOXES}) i group by 1, 2 having count(*) > 1"""),
    ("R5", "token numbers have a gap or a twin", """
        select t.location_id, t.local_date, count(*), max(t.sequence), d.last_sequence from queue.token t
        join queue.queue_day d using (tenant_id, location_id, local_date)
        group by t.tenant_id, t.location_id, t.local_date, d.last_sequence
        having count(distinct sequence) <> count(*) or max(sequence) <> count(*) or d.last_sequence <> count(*)"""),
    ("R5", "a practitioner sees two patients at once", """
        select provider_id, local_date from queue.token where status = 'WITH_DOCTOR'
        group by tenant_id, provider_id, local_date having count(*) > 1"""),
    ("R6", "stock is not the sum of its movements", """
        select b.id, b.on_hand from pharmacy.batch b left join pharmacy.stock_movement m on m.batch_id = b.id
        group by b.id having b.on_hand <> coalesce(sum(m.delta), 0) or b.on_hand < 0"""),
    ("R6", "what was handed out and what left the shelf differ", """
        select d.id from pharmacy.dispensing d
        where (select sum(quantity) from pharmacy.dispensing_line l where l.dispensing_id = d.id)
            is distinct from (select -sum(delta) from pharmacy.stock_movement m where m.dispensing_id = d.id)"""),
    ("R6", "more was handed out than prescribed", """
        select c.item_id from pharmacy.prescription_item_card c
        left join pharmacy.dispensing_line l on l.prescription_item_id = c.item_id
        group by c.item_id having c.dispensed <> coalesce(sum(l.quantity), 0) or coalesce(sum(l.quantity), 0) > c.prescribed"""),
    ("R6", "an expired batch was handed out", """
        select l.dispensing_id from pharmacy.dispensing_line l join pharmacy.dispensing d on d.id = l.dispensing_id
        where l.expiry_date < d.local_date"""),
    ("R7", "a ledger entry does not balance", """
        select e.id from billing.ledger_entry e left join billing.ledger_line l on l.entry_id = e.id
        group by e.id having count(l.amount) < 2 or sum(l.amount) <> 0"""),
    ("R7", "an invoice and its payments differ", """
        select i.id from billing.invoice i left join billing.payment p on p.invoice_id = i.id group by i.id
        having i.received <> coalesce(sum(p.amount) filter (where p.kind = 'PAYMENT'), 0)
            or i.refunded <> coalesce(sum(p.amount) filter (where p.kind = 'REFUND'), 0)
            or (i.status <> 'CANCELLED' and i.total <> i.received + i.due)"""),
    ("R7", "an invoice and its lines differ", """
        select i.id from billing.invoice i left join billing.invoice_line l on l.invoice_id = i.id group by i.id
        having i.total <> coalesce(sum(l.total), 0) or i.tax <> coalesce(sum(l.tax), 0)"""),
    ("R7", "what the ledger calls receivable is not what is due", """
        select i.id from billing.invoice i left join billing.ledger_entry e on e.invoice_id = i.id
        left join billing.ledger_line l on l.entry_id = e.id and l.account = 'receivable' group by i.id
        having i.status <> 'DRAFT' and coalesce(sum(l.amount), 0) <> i.due"""),
    ("R7", "a payment or refund has not exactly one ledger entry", """
        select invoice_id, kind from (
            select invoice_id, kind, 1 as payments, 0 as entries from billing.payment
            union all select invoice_id, kind, 0, 1 from billing.ledger_entry where kind in ('PAYMENT', 'REFUND')) x
        group by 1, 2 having sum(payments) <> sum(entries)"""),
    ("R7", "what went back and its credit notes differ", """
        select invoice_id from (
            select invoice_id, id as note, amount, 0 as back from billing.credit_note
            union all select invoice_id, credit_note_id, 0, amount from billing.payment where kind = 'REFUND') x
        group by invoice_id, note having sum(amount) <> sum(back) or note is null"""),
    ("R7", "more went back than came in", "select id from billing.invoice where refunded > received"),
    ("R7", "a cancelled invoice moved money, or is undone other than it was issued", """
        select i.id from billing.invoice i left join billing.ledger_entry e on e.invoice_id = i.id
        left join billing.ledger_line l on l.entry_id = e.id where i.status = 'CANCELLED'
        group by i.id, l.account, i.received having i.received <> 0 or coalesce(sum(l.amount), 0) <> 0"""),
    ("R7", "a visit was billed twice", """
        select visit_id from billing.invoice where mode = 'AUTO' and status <> 'CANCELLED'
        group by tenant_id, visit_id having count(*) > 1"""),
    ("R7", "invoice numbers have a gap", """
        select c.year, c.last, count(i.id) from billing.invoice_counter c
        left join billing.invoice i on i.tenant_id = c.tenant_id and i.number like c.series || '-' || c.year || '-%%'
        where c.series = 'INV' group by c.tenant_id, c.year, c.last having c.last <> count(i.id)"""),
    ("R8", "a completed visit's token or appointment is still open", """
        select v.id, t.status, a.status from clinical.visit v
        left join queue.token t on t.id = v.token_id left join scheduling.appointment a on a.id = t.appointment_id
        where v.status = 'completed' and v.started_at > %(since)s
          and (t.status not in ('COMPLETED', 'LEFT') or a.status not in ('fulfilled', 'cancelled'))"""),
    ("R8", "a paid prescription is not known as paid at the counter", """
        select i.id from billing.invoice i join billing.invoice_prescription p on p.invoice_id = i.id
        left join pharmacy.settlement_card s on s.prescription_id = p.prescription_id
        where i.status = 'PAID' and i.refunded = 0 and i.created_at > %(since)s and s.paid is distinct from true"""),
    ("R8", "a patient who is in the queue's token is unknown as arrived", """
        select a.id, a.status from queue.token t join scheduling.appointment a on a.id = t.appointment_id
        where a.status = 'booked' and t.status <> 'LEFT'"""),
]

# What the day's report counts, beside the record that it was counted from.
COUNTED = {
    "patients registered": ("sum(patients_registered) from reporting.daily_summary", "count(*) from clinical.patient"),
    "visits completed": ("sum(visits_completed) from reporting.daily_summary", "count(*) from clinical.visit where status = 'completed'"),
    "bookings": ("sum(appointments_booked) from reporting.daily_summary", "count(*) from scheduling.appointment"),
    "cancellations": ("sum(appointments_cancelled) from reporting.daily_summary",
                      "count(*) from scheduling.appointment where status = 'cancelled'"),
    "tokens issued": ("sum(tokens_issued) from reporting.daily_summary", "count(*) from queue.token"),
    "tokens completed": ("sum(tokens_completed) from reporting.daily_summary", "count(*) from queue.token where status = 'COMPLETED'"),
    "invoices issued": ("sum(invoices_issued) from reporting.daily_summary", "count(*) from billing.invoice where issued_at is not null"),
    "takings": ("sum(amount) from reporting.daily_takings where method <> 'REFUND'",
                "sum(amount) from billing.payment where kind = 'PAYMENT'"),
    "given back": ("sum(amount) from reporting.daily_takings where method = 'REFUND'",
                   "sum(amount) from billing.payment where kind = 'REFUND'"),
    "payments": ("sum(count) from reporting.daily_takings where method <> 'REFUND'", "count(*) from billing.payment where kind = 'PAYMENT'"),
    "items dispensed": ("sum(items_dispensed) from reporting.daily_summary", "sum(quantity) from pharmacy.dispensing_line"),
}


def differences(database):
    """Report minus record, for each figure: a run must not move it."""
    return {name: database.execute(f"select coalesce((select {left}), 0)::bigint - coalesce((select {right}), 0)::bigint").fetchone()[0]
            for name, (left, right) in COUNTED.items()}


def record(database, since, before=None):
    """Everything that SQL can tell; `before` is what `differences` said when the run began."""
    found = []
    events, names = zip(*reactions())
    for promise, what, statement in WRONG:
        rows = database.execute(statement, {"since": since, "events": list(events), "reactions": list(names)}).fetchall()
        if rows:
            found.append(f"{promise}: {what}: {len(rows)} times, such as {[str(v) for v in rows[0]]}")
    found += order(database)
    for name, now in differences(database).items():
        if now != (before or {}).get(name, 0):
            found.append(f"R2: the day's report counted {name} wrongly: {now - (before or {}).get(name, 0):+d}")
    return found


def order(database):
    """R2, R9: what is kept of a thing is kept of the newest fact about it, as far as its outbox remembers."""
    found = []
    for card in KEPT:
        rows = database.execute(f"""
            select c.{card.key}, c.{card.revision}, max(o.revision) from {card.table} c
            join {card.service}.outbox o on o.subject = c.{card.key}::text and o.type = any(%s)
            group by 1, 2 having c.{card.revision} <> max(o.revision)""", [list(card.facts)]).fetchall()
        if rows:
            found.append(f"R2: {card.table} is not of the newest fact ({card.revision}): {len(rows)} times, such as {[str(v) for v in rows[0]]}")
    return found


def overtaken(database, card, since):
    """The facts since then that feed this card and are not the newest about their thing, as (reaction, id)."""
    rows = database.execute(f"""
        select o.id, o.type from {card.service}.outbox o join {card.table} c on c.{card.key}::text = o.subject
        where o.type = any(%(facts)s) and o.occurred_at > %(since)s and exists (
            select from {card.service}.outbox n where n.subject = o.subject and n.type = any(%(facts)s) and n.revision > o.revision)""",
        {"facts": list(card.facts), "since": since}).fetchall()
    keeper = card.table.split(".")[0]
    return [(reaction, fact) for fact, kind in rows for event, reaction in reactions() if event == kind and reaction.startswith(keeper + ".")]


def unpublished(database):
    return {s: n for s in SERVICES if (n := database.execute(f"select count(*) from {s}.outbox where published_at is null").fetchone()[0])}


def depths(amqp_url):
    """Messages in every queue of every reaction: {queue: count}, empty ones left out."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    found = {}
    try:
        for reaction in {reaction for _, reaction in reactions()}:
            for suffix in ("", ".alone", ".parking", ".retry.5s", ".retry.30s", ".retry.5m"):
                channel = connection.channel()
                try:
                    count = channel.queue_declare(reaction + suffix, passive=True).method.message_count
                    if count:
                        found[reaction + suffix] = count
                    channel.close()
                except pika.exceptions.ChannelClosedByBroker:
                    pass
    finally:
        connection.close()
    return found


# What an operation makes, and where it must be found.
MADE = {
    "register": "clinical.patient", "book": "scheduling.appointment", "walk-in": "queue.token", "check-in": "queue.token",
    "visit": "clinical.visit", "prescribe": "clinical.prescription", "invoice": "billing.invoice", "pay": "billing.payment", "refund": "billing.payment",
    "dispense": "pharmacy.dispensing", "receive": "pharmacy.batch",
}


def rows(database):
    """What is there already: {table: ids}."""
    return {table: {str(row[0]) for row in database.execute(f"select id from {table}")} for table in set(MADE.values())}


def history(log, database, known):
    """What the clients were told, against what is there."""
    found = [f"a client saw: {row['text']}" for row in log.problems]
    lost = [o for o in log.operations if o["status"] is None]
    found += [f"R8: no answer in all that time: {o['what']} by {o['who']}" for o in lost]
    # R1, R3: every 201 is there, and nothing is there that nobody was told of.
    for table in sorted(set(MADE.values())):
        whats = [what for what in MADE if MADE[what] == table]
        told = [o["id"] for o in log.operations if o["what"] in whats and o["status"] == 201]
        there = {str(row[0]) for row in database.execute(f"select id from {table}")} - known[table]
        missing = set(told) - there
        more = there - set(told)
        # A refusal is kept under no key: who hung up and was refused afterwards may still be overtaken by the first
        # request, which was slow. Such a client is indeterminate; its effect, if any, is still one.
        doubtful = sum(1 for o in log.operations if o["what"] in whats and o["unknown"] and o["status"] not in (200, 201))
        if missing:
            found.append(f"R1: {len(missing)} of {table} were confirmed and are not there, such as {min(missing)}")
        if len(more) > doubtful:
            found.append(f"R3: {len(more)} of {table} are there that nobody was told of, such as {min(more)}")
        if len(told) != len(set(told)):
            found.append(f"R3: two operations were given the same row of {table}")
    # R3: one key, one answer.
    answers = {}
    for a in log.attempts:
        if a["key"] and a["status"] in (200, 201) and a["id"]:
            answers.setdefault(a["key"], set()).add((a["status"], a["id"]))
    found += [f"R3: the key {key} was answered in two ways: {sorted(said)}" for key, said in answers.items() if len(said) > 1]
    return found + queue_order(log, database) + linear_queues(log, database) + linear_stock(log, database, known)


STEPS = 2_000_000  # a minute or so; a seed's histories take a few hundred each


def ordered(model, parts, promise, what):
    """Whether each key's operations can be put in an order that explains all answers."""
    found = []
    for key, operations in parts.items():
        try:
            stuck = linear.check(model, operations, STEPS)
        except linear.Undecided as undecided:  # what is not known has not held
            found.append(f"{promise}: {what} {key}: undecided for {len(operations)} operations: {undecided}")
            continue
        if stuck:
            found.append(f"{promise}: {what} {key}: no order explains {len(operations)} operations; stuck at {[tuple(o) for o in stuck[:4]]}")
    return found


def linear_queues(log, database):
    """R5: every practitioner's queue behaved like one queue."""
    op, parts = linear.Operation, {}
    rows = database.execute("""select id, provider_id, urgency, lane, due_at, sequence from queue.token
        where provider_id = any(%s::uuid[])""", [list({o["about"] for o in log.operations if o["what"] == "next"})]).fetchall()
    place = {str(r[0]): (r[2], r[3], r[4], r[5], str(r[0])) for r in rows}
    provider = {str(r[0]): str(r[1]) for r in rows}
    told = set()
    for o in log.operations:
        ok, token, mine = o["status"] in (200, 201, 204), o["about"], None
        if o["what"] in ("walk-in", "check-in") and ok and o["id"] in place:
            told.add(o["id"])
            mine, key = op(o["began"], o["ended"], "issue", place[o["id"]], None), provider[o["id"]]
        elif o["what"] == "next":
            result = {200: o["id"], 204: "nobody", 409: "busy"}.get(o["status"])
            key, ended = o["about"], o["ended"] if result else linear.FOREVER
            mine = op(o["began"], ended, "next", None, result)
            if result in ("nobody", "busy") and o["unknown"]:  # the one that was not answered may have called somebody
                parts.setdefault(key, []).append(op(o["began"], linear.FOREVER, "next", None, None))
        elif o["what"] in ("close-token", "complete") and token in place:
            # A visit that ends closes its token by an event, whenever that comes.
            known = ok and o["what"] == "close-token"
            mine, key = op(o["began"], o["ended"] if known else linear.FOREVER, "complete", token, None), provider[token]
        if mine:
            parts.setdefault(key, []).append(mine)
    for token in set(place) - told:
        parts.setdefault(provider[token], []).append(op(0, linear.FOREVER, "issue", place[token], None))
    return ordered(linear.Queue, parts, "R5", "the queue of")


def linear_stock(log, database, known):
    """R6: every medicine's shelf behaved like one shelf, first expired first."""
    op, parts = linear.Operation, {}
    medicines = list({o["about"] for o in log.operations if o["what"] == "dispense"})
    received = {o["id"]: o for o in log.operations if o["what"] == "receive" and o["status"] == 201}
    handed = {o["id"]: o for o in log.operations if o["what"] == "dispense" and o["status"] == 201}
    for batch, medicine, expiry, at, count in database.execute("""
            select b.id, b.medicine_id, b.expiry_date, b.received_at, sum(m.delta)::int from pharmacy.batch b
            join pharmacy.stock_movement m on m.batch_id = b.id and m.delta > 0
            where b.medicine_id = any(%s::uuid[]) group by b.id""", [medicines]):
        batch, by = str(batch), received.get(str(batch))
        began, ended = (by["began"], by["ended"]) if by else (-2, -1) if batch in known["pharmacy.batch"] else (0, linear.FOREVER)
        parts.setdefault(str(medicine), []).append(op(began, ended, "receive", ((expiry, at, batch), count), None))
    for o in log.operations:
        if o["what"] == "dispense" and o["status"] == 201:
            lines = tuple((batch, count) for batch, count in o["lines"])
            parts[o["about"]].append(op(o["began"], o["ended"], "dispense", sum(n for _, n in lines), lines))
        elif o["what"] == "dispense" and o["code"] == "insufficient_stock":
            parts[o["about"]].append(op(o["began"], o["ended"], "dispense", o["count"], "short"))
    for dispensing, medicine, count in database.execute("""
            select dispensing_id, medicine_id, sum(quantity)::int from pharmacy.dispensing_line
            where medicine_id = any(%s::uuid[]) group by 1, 2""", [medicines]):
        if str(dispensing) not in handed and str(dispensing) not in known["pharmacy.dispensing"]:
            parts[str(medicine)].append(op(0, linear.FOREVER, "dispense", count, None))
    return ordered(linear.Stock, parts, "R6", "the stock of")


def queue_order(log, database):
    """R5: nobody is called twice, and nobody who was surely waiting is passed over."""
    found, calls = [], {}
    for o in log.operations:
        if o["what"] == "next" and o["status"] == 200:
            if o["id"] in calls:
                found.append(f"R5: the token {o['id']} was called twice")
            calls[o["id"]] = o
    rows = database.execute("""
        select id, provider_id, urgency, lane, due_at, sequence, status from queue.token where id = any(%s::uuid[])""",
        [list({o["id"] for o in log.operations if o["id"] and o["what"] in ("walk-in", "check-in", "next")})]).fetchall()
    place = {str(r[0]): (str(r[1]), r[2:6], r[6]) for r in rows}
    arrived = {o["id"]: o for o in log.operations if o["what"] in ("walk-in", "check-in") and o["status"] == 201}
    by_provider = {}
    for token in arrived:
        if token in place:
            by_provider.setdefault(place[token][0], []).append(token)
    for token, call in calls.items():
        if token not in place:
            continue
        provider, mine, _ = place[token]
        for other in by_provider.get(provider, []):
            if other == token or place[other][1] > mine or arrived[other]["ended"] > call["began"]:
                continue
            # Real time only: `called_at` is taken before a call waits for its turn.
            later = calls[other]["began"] > call["ended"] if other in calls else place[other][2] == "WAITING"
            if later:
                found.append(f"R5: {token} was called before {other}, who came first")
    return found


def settle(database, amqp_url, limit, say=lambda text: None):
    """Waits until nothing is on its way any more; returns what still is after `limit` seconds."""
    until = time.monotonic() + limit
    while True:
        left = {**unpublished(database), **{q: n for q, n in depths(amqp_url).items() if not q.endswith(".parking")}}
        if not left or time.monotonic() > until:
            return left
        say(f"on its way: {left}")
        time.sleep(0.5)


if __name__ == "__main__":
    environment = stack_environment()
    with psycopg.connect(environment["POSTGRES_URL"], autocommit=True) as db:
        wrong = record(db, "2000-01-01", differences(db))
        wrong += [f"R2: parked: {q}: {n}" for q, n in depths(environment["AMQP_ADMIN_URL"]).items() if q.endswith(".parking")]
    print("\n".join(wrong) or "nothing is wrong")
    sys.exit(bool(wrong))
