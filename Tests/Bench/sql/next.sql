\set lock random(1, 9223372036854775807)
\set key random(1, 9223372036854775807)
begin;
select set_config('app.tenant', 'TENANT', true);
select account, doctor, fact, entry from bench.wish where n = (select nextval('bench.at')) \gset
select (not exists (select from idempotency where account_id = :account and key = :key) and pg_try_advisory_xact_lock(:lock))::idempotency_key_unused;
select p.provider_id, p.account_id, p.location_id, p.zone, p.is_active, l.licensed_until
from provider_card p left join licence_card l on l.account_id = p.account_id where p.account_id = :account;
select from provider_card where provider_id = :doctor for update;
with called as (
    update token set status = 'WITH_DOCTOR', called_at = now(), version = version + 1,
        waited_seconds = coalesce(waited_seconds, greatest(extract(epoch from now() - issued_at)::int, 0))
    where id = (select id from token where provider_id = :doctor and local_date = 'DAY' and status = 'WAITING'
        and not exists (select from token s where s.provider_id = :doctor and s.local_date = 'DAY' and s.status = 'WITH_DOCTOR')
        order by urgency, lane, due_at, sequence limit 1 for no key update skip locked)
    returning *
), bumped as (
    update queue_day d set version = d.version + 1 from called where d.location_id = called.location_id and d.local_date = called.local_date
)
select id as token, patient_id as patient from called \gset
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'queue.token.called.v1', :token, 2, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :token, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values (:account, :key, decode(repeat('00', 32), 'hex'), decode(repeat('00', 540), 'hex'), :patient);
commit;
