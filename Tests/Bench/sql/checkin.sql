\set lock random(1, 9223372036854775807)
\set key random(1, 9223372036854775807)
begin;
select set_config('app.tenant', 'TENANT', true);
select id as token, appointment, patient, doctor, site, fact, entry from bench.wish where n = (select nextval('bench.at')) \gset
select (not exists (select from idempotency where account_id = '0190d3b4-0000-7000-8000-000000000001' and key = :key) and pg_try_advisory_xact_lock(:lock))::idempotency_key_unused;
select appointment_id, patient_id, provider_id, location_id, starts_at, local_date, status, priority, revision from appointment_card where appointment_id = :appointment;
select zone from location_card where location_id = :site;
with counted as (
    insert into queue_day as d (location_id, local_date, last_sequence)
    select :site, 'DAY', 1 where not exists (select from token where appointment_id = :appointment and status <> 'LEFT')
    on conflict on constraint queue_day_key do update set last_sequence = d.last_sequence + 1, version = d.version + 1
    returning last_sequence
), issued as (
    insert into token (id, sequence, patient_id, provider_id, location_id, appointment_id, local_date, priority, urgency, lane, due_at, issued_at)
    select :token, last_sequence, :patient, :doctor, :site, :appointment, 'DAY', 'routine', 2, 0, now(), now() from counted
    on conflict do nothing returning *
)
select 1 + (select count(*) from token t where t.provider_id = :doctor and t.local_date = 'DAY' and t.status = 'WAITING'
    and (t.urgency, t.lane, t.due_at, t.sequence) < (issued.urgency, issued.lane, issued.due_at, issued.sequence)), issued.* from issued;
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'queue.token.issued.v1', :token, 1, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :token, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values ('0190d3b4-0000-7000-8000-000000000001', :key, decode(repeat('00', 32), 'hex'), decode(repeat('00', 600), 'hex'), :patient);
commit;
