"""Fills a stack by SQL, as the superuser, with every constraint, index and policy in place."""
import time

from machine import parallel
from stage import say

EACH = 20_000  # appointments of one practitioner: a slot of 15 minutes each, one after the other, all in the past

# One practitioner's past: ids grow with time, nobody is in two places, and what is over is fulfilled.
PAST = """
insert into scheduling.provider (id, account_id, location_id, zone, name) values ('{provider}', gen_random_uuid(), '{location}', 'Asia/Kolkata', 'Dr. Past {number}') on conflict do nothing;
insert into scheduling.slot (id, provider_id, location_id, starts_at, ends_at, local_date, status, version)
    select (lpad(to_hex(1600000000000 + i), 12, '0') || '70008' || lpad(to_hex({number}), 7, '0') || lpad(to_hex(i), 8, '0'))::uuid, '{provider}', '{location}',
        t, t + interval '15 minutes', (t at time zone 'Asia/Kolkata')::date, 'booked', 2
    from generate_series(1, {many}) i, lateral (select date_trunc('hour', now()) - i * interval '15 minutes' as t) x;
insert into scheduling.appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, status, modality, priority, booked_by)
    select s.id, s.id, provider_id, md5('patient' || (row_number() over () * 7919 + {number} * 104729) % 100000)::uuid, location_id, starts_at, ends_at, local_date, 'fulfilled', 'in_person', 'routine', '{provider}'
    from scheduling.slot s where provider_id = '{provider}' and tenant_id = '{tenant}'"""


def empty(stage):
    """What an earlier run left."""
    # The outbox refuses to lose what was not published yet; here nobody waits for it.
    stage.psql("""alter table scheduling.outbox disable trigger user;
        truncate scheduling.appointment, scheduling.slot, scheduling.rating, scheduling.outbox, queue.token, queue.appointment_card;
        alter table scheduling.outbox enable trigger user;
        delete from scheduling.provider where name like 'Dr. Past %' or name like 'Dr. Future %'""")


def appointments(stage, size, seconds):
    """Loads up to `size` past appointments and says how long that took. Two at a time: the machine has two cores."""
    have = int(stage.psql("select count(*) from scheduling.appointment"))
    began = time.monotonic()
    wanted, jobs = size - have, []
    base = int(stage.psql("select count(*) from scheduling.provider"))

    def one(number, many):
        if time.monotonic() - began > seconds:
            return
        provider = stage.psql("select bench.id()")
        stage.psql(PAST.format(provider=provider, location=stage.location, tenant=stage.tenant, number=number, many=many))
    while wanted > 0:
        number, many = base + len(jobs), min(EACH, wanted)
        jobs.append(lambda n=number, m=many: one(n, m))
        wanted -= many
    if jobs:
        say(f"loading {size - have:,} appointments and their slots by SQL")
        parallel(jobs, 2)
        stage.psql("vacuum (analyze) scheduling.slot, scheduling.appointment")
    return time.monotonic() - began


def future(stage):
    """Time that can be booked: 30 practitioners, 60 days of 48 slots."""
    if int(stage.psql("select count(*) from scheduling.slot where status = 'free' and starts_at > now() + interval '1 day'")) > 50_000:
        return
    stage.psql(f"""
        insert into scheduling.provider (id, account_id, location_id, zone, name) select bench.id(), gen_random_uuid(), '{stage.location}', 'Asia/Kolkata', 'Dr. Future ' || n from generate_series(1, 30) n;
        insert into scheduling.slot (id, provider_id, location_id, starts_at, ends_at, local_date)
        select bench.id(), p.id, '{stage.location}', t, t + interval '15 minutes', (t at time zone 'Asia/Kolkata')::date
        from scheduling.provider p, generate_series(1, 60) d, generate_series(0, 47) q,
            lateral (select date_trunc('day', now()) + d * interval '1 day' + interval '12 hours' + q * interval '15 minutes' as t) x where p.name like 'Dr. Future %'""")


def tenants(stage, many):
    """200,000 free slots dealt out to `many` tenants; those of the last time are cancelled out of the way."""
    stage.psql("drop table if exists bench.tenant; create table bench.tenant (n int primary key, tenant uuid, location uuid)")
    each = 200_000 // many
    stage.psql(f"insert into bench.tenant select n, gen_random_uuid(), gen_random_uuid() from generate_series(1, {many}) n")
    stage.psql(f"""
        insert into scheduling.tenant_card (tenant_id) select tenant from bench.tenant;
        insert into scheduling.provider (id, tenant_id, account_id, location_id, zone, name) select gen_random_uuid(), tenant, gen_random_uuid(), location, 'UTC', 'Dr. ' || k
            from bench.tenant, generate_series(1, greatest(1, {each} / 2000)) k;
        -- each practitioner's patient is somebody else, so nobody is expected in two places
        insert into scheduling.patient_card (tenant_id, patient_id, is_active) select p.tenant_id, p.id, true from scheduling.provider p join bench.tenant b on b.tenant = p.tenant_id;
        insert into scheduling.slot (id, tenant_id, provider_id, location_id, starts_at, ends_at, local_date)
        select bench.id(), p.tenant_id, p.id, p.location_id, t, t + interval '15 minutes', (t at time zone 'UTC')::date
        from scheduling.provider p join bench.tenant b on b.tenant = p.tenant_id, generate_series(1, least(2000, {each})) i,
            lateral (select date_trunc('day', now()) + interval '2 days' + i * interval '15 minutes' as t) x;
        analyze scheduling.slot""")
