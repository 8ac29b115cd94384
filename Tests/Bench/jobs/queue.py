"""The waiting room: arrivals, calls, the board. Spread over 40 sites, because one site's numbers are given one by one."""
from jobs.appointments import BOOKED, COLUMNS, free, over
from jobs.job import Job
from tokens import Mint

SITES, DOCTORS = 40, 400
TOKEN = "id, tenant_id, location_id, local_date, sequence, patient_id, provider_id, priority, urgency, lane, due_at, status, issued_at"
# Nobody was here today, so each run begins with the same room.
EMPTY = "truncate queue.token"


def doctors(stage, many=DOCTORS):
    """Sites and practitioners that only the queue knows of."""
    stage.psql(f"""
        insert into bench.site (n) select generate_series(1, {SITES}) on conflict do nothing;
        insert into queue.location_card (location_id, zone) select id, 'Asia/Kolkata' from bench.site on conflict do nothing;
        insert into bench.doctor (n, location) select n, (select id from bench.site where site.n = (d.n - 1) % {SITES} + 1) from generate_series(1, {many}) as d (n) on conflict do nothing;
        insert into queue.provider_card (provider_id, account_id, location_id, zone, revision)
            select provider, account, location, 'Asia/Kolkata', 1 from bench.doctor where n <= {many} on conflict do nothing;
        insert into queue.licence_card (account_id, licensed_until, revision)
            select account, '2199-12-31', 1 from bench.doctor where n <= {many} on conflict do nothing""")


def arrived(stage):
    over(stage)
    doctors(stage)
    stage.psql(EMPTY)


def waiting(stage, each, many):
    """`each` patients wait for each of the first `many` doctors."""
    doctors(stage, many)
    stage.psql(f"""{EMPTY};
        insert into queue.queue_day (location_id, local_date) select id, '{stage.day}' from bench.site on conflict do nothing;
        with new as (select d.location, d.provider, row_number() over (partition by d.location order by k, d.n) as place from bench.doctor d, generate_series(1, {each}) k where d.n <= {many}),
        numbered as (update queue.queue_day q set last_sequence = last_sequence + c, version = version + 1
            from (select location, count(*) as c from new group by 1) t where q.location_id = t.location and q.local_date = '{stage.day}' returning q.location_id, q.last_sequence - t.c as base)
        insert into queue.token ({TOKEN})
        select bench.id(), '{stage.tenant}', location, '{stage.day}', base + place, gen_random_uuid(), provider, 'routine', 2, 1, now(), 'WAITING', now()
        from new join numbered on location_id = location;
        analyze queue.token""")


def called(stage):
    stage.settle()
    waiting(stage, 2, NEXT.need)


def doctors_tokens(stage):
    mint = Mint(f"{stage.env['POLYCLINIC_DATA']}/secrets")
    rows = stage.psql(f"select account || ' ' || location from bench.doctor where n <= {NEXT.need} order by n").splitlines()
    return [mint.token(stage.tenant, account, "doctor", location) for account, location in map(str.split, rows)]


def watched(stage):
    waiting(stage, 10, DOCTORS)


ISSUED = """json_build_object('tokenId', w.id, 'number', 'A-001', 'patientId', patient, 'providerId', doctor, 'locationId', site, 'appointmentId', appointment,
        'localDate', '{day}', 'priority', 'routine', 'issuedAt', now()) as fact,
    bench.entry('queue', 'check-in', 'token', w.id, 'reception', json_build_object('status', 'WAITING', 'number', 'A-001', 'patientId', patient, 'providerId', doctor)) as entry"""

NEXT = Job(
    "next", "call the next patient", "queue", rate=4000, before=called, callers=doctors_tokens,
    setup="""create table bench.wish as select n, account, provider as doctor, location as site, bench.id() as id,
        json_build_object('tokenId', provider, 'patientId', account, 'providerId', provider, 'locationId', location, 'localDate', '{day}', 'waitedSeconds', 1, 'calledAt', now()) as fact,
        bench.entry('queue', 'call', 'token', provider, 'doctor', json_build_object('status', 'WITH_DOCTOR', 'providerId', provider)) as entry
        from bench.doctor where n <= {need}""",
    line="bench.line(n::text, 'POST', '/v1/queue/next', '', '{}')",
    effect="select count(*) from queue.token where status = 'WITH_DOCTOR'",
    aims=((None, "rps", ">=", 1000, "call next ≥ 1,000/s"),))

JOBS = [
    Job("checkin", "check in for an appointment", "queue", rate=4000, before=arrived,
        setup=f"""create table bench.wish as with {free('{need}')}, w as (
                select free.n, {COLUMNS}, bench.id() as token, d.provider as doctor, d.location as site from free join who on who.n = free.n join bench.doctor d on d.n = (free.n - 1) % {DOCTORS} + 1)
            select n, id, slot, provider, location, starts_at, ends_at, local_date, patient, doctor, site, token from w;
            {BOOKED};
            insert into queue.appointment_card (appointment_id, patient_id, provider_id, location_id, starts_at, local_date, status, priority, revision)
                select id, patient, doctor, site, now(), '{{day}}', 'booked', 'routine', 1 from bench.wish;
            alter table bench.wish rename column id to appointment; alter table bench.wish rename column token to id;
            alter table bench.wish add fact json, add entry json;
            update bench.wish set fact = f.fact, entry = f.entry from (select w.id, {ISSUED} from bench.wish w) f where f.id = wish.id""",
        line="""bench.line('1', 'POST', '/v1/queue/check-in', '', format('{"appointmentId":"%s"}', appointment))""",
        effect="select count(*) from queue.token"),
    NEXT,
    Job("board", "read a site's board, 100 waiting", "queue", before=watched,
        setup="""create table bench.wish as select n, id as site, json_build_object('service', 'queue', 'entries', json_build_array(
            json_build_object('id', 'ENTRY', 'at', now(), 'actorId', gen_random_uuid(), 'role', 'reception', 'action', 'list', 'resource', 'queue',
            'resourceId', id, 'allowed', true, 'purpose', 'TREAT', 'after', json_build_object('date', '{day}'),
            'traceId', '0af7651916cd43dd8448eb211c80319c'))) as entry from bench.site where n <= 10""",
        line="bench.line('1', 'GET', '/v1/queue/today?locationId=' || site, '', '')"),
]
