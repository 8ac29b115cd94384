"""Practitioners' time: listed, booked, booked otherwise."""
from jobs.job import Job

# Free slots in the order of their time, and patients with nothing else open, dealt out by number.
FREE = """
    free as materialized (select id, provider_id, location_id, starts_at, ends_at, local_date, row_number() over (order by starts_at, id) as n
        from scheduling.slot where tenant_id = '{tenant}' and status = 'free' and starts_at > now() + interval '1 day' order by starts_at, id limit {slots}),
    who as materialized (select id, row_number() over (order by random()) as n from clinical.patient where active order by random() limit {need}),
    size as (select count(*) as s from who)"""
# The runs before are over: their patients are free again, and their slots stay taken.
OVER = "update scheduling.appointment set status = 'fulfilled' where status in ('booked', 'arrived')"
BOOKED = """insert into scheduling.appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, modality, priority, booked_by)
    select id, slot, provider, patient, location, starts_at, ends_at, local_date, 'in_person', 'routine', gen_random_uuid() from bench.wish;
    update scheduling.slot set status = 'booked', version = version + 1 where id in (select slot from bench.wish)"""
COLUMNS = "bench.id() as id, free.id as slot, free.provider_id as provider, free.location_id as location, free.starts_at, free.ends_at, free.local_date, who.id as patient"


def free(many):
    return FREE.replace("{slots}", many)


def over(stage):
    stage.settle()
    stage.psql(OVER)


def booking_facts(of):
    return f"""json_build_object('appointmentId', {of}.id, 'patientId', patient, 'providerId', provider, 'locationId', location, 'slotId', slot,
        'start', starts_at, 'end', ends_at, 'localDate', local_date, 'modality', 'in_person', 'priority', 'routine') as fact,
    bench.entry('scheduling', 'book', 'appointment', {of}.id, 'reception', json_build_object('status', 'booked', 'slotId', slot)) as entry"""


MOVED = """json_build_object('appointmentId', id, 'patientId', patient, 'providerId', target_provider, 'locationId', target_location,
    'slotId', target, 'start', target_start, 'end', target_end, 'localDate', target_date, 'previousStart', starts_at, 'modality', 'in_person',
    'priority', 'routine', 'previousProviderId', provider)"""

JOBS = [
    Job("slots", "list a day's slots", "scheduling",
        setup="""create table bench.wish as select row_number() over () as n, provider, day from (select * from (
            select distinct provider_id as provider, local_date as day from scheduling.slot where tenant_id = '{tenant}' and starts_at > now()) days order by random() limit 5000) picked""",
        line="bench.line('1', 'GET', format('/v1/slots?providerId=%s&date=%s&limit=100', provider, day), '', '')"),
    Job("book", "book a slot", "scheduling", rate=5000, before=over,
        setup=f"create table bench.wish as with {free('{need}')}, w as (select free.n, {COLUMNS} from free, size join who on true where who.n = (free.n - 1) % s + 1) select w.*, {booking_facts('w')} from w",
        line="""bench.line('1', 'POST', '/v1/appointments', '', format('{"slotId":"%s","patientId":"%s"}', slot, patient))""",
        effect="select count(*) from scheduling.appointment",
        aims=(("Go", "rps", ">=", 1.2, "booking ≥ 1.2 × Go's requests/s"), ("Go", "kept", ">=", 1.2, "booking ≥ 1.2 × Go's, until all that it set off is done"),
              ("pgbench", "rps", ">=", 0.7, "booking ≥ 0.7 × pgbench of the same SQL"))),
    # Each to another practitioner: the fact says whose time it was, so two wishes differ in nothing else. In the order of
    # practitioners, who is half of the slots further is another one, unless one alone has more than half of them.
    Job("reschedule", "move an appointment", "scheduling", rate=3000, before=over,
        setup=f"""create table bench.wish as with {free('2 * {need}')},
            dealt as materialized (select *, row_number() over (order by provider_id, n) as place from free),
            w as (select row_number() over (order by free.n) as n, {COLUMNS}, target.id as target, target.provider_id as target_provider,
                    target.location_id as target_location, target.starts_at as target_start, target.ends_at as target_end,
                    target.local_date as target_date
                from dealt free join who on who.n = free.place
                    join dealt target on target.place = free.place + {{need}} and target.provider_id <> free.provider_id)
            select w.*, {MOVED} as fact, bench.entry('scheduling', 'change', 'appointment', id, 'reception',
                json_build_object('status', 'booked', 'slotId', target)) as entry from w;
            {BOOKED}""",
        line="""bench.line('1', 'PATCH', '/v1/appointments/' || id, '1', format('{"slotId":"%s"}', target))""",
        effect="select count(*) from scheduling.appointment where version = 2"),
]
