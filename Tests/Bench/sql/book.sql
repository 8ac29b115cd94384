\set lock random(1, 9223372036854775807)
\set key random(1, 9223372036854775807)
begin;
select set_config('app.tenant', 'TENANT', true);
select id as appointment, slot, patient, fact, entry from bench.wish where n = (select nextval('bench.at')) \gset
select (not exists (select from idempotency where account_id = '0190d3b4-0000-7000-8000-000000000001' and key = :key) and pg_try_advisory_xact_lock(:lock))::idempotency_key_unused;
with patient as (
    select is_active from patient_card where patient_id = :patient
), claimed as (
    update slot set status = 'booked', version = version + 1
    where id = :slot and status = 'free' and starts_at > now() and (select is_active from patient)
      and exists (select from provider where provider.id = slot.provider_id and provider.is_active and provider.licensed_until >= slot.local_date)
    returning id, provider_id, location_id, starts_at, ends_at, local_date
), booked as (
    insert into appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, modality, priority, sealed_reason, booked_by)
    select :appointment, id, provider_id, :patient, location_id, starts_at, ends_at, local_date, 'in_person', 'routine', null, gen_random_uuid()
    from claimed on conflict do nothing returning *
)
select (select is_active from patient), booked.* from (values (1)) as always left join booked on true;
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'scheduling.appointment.booked.v1', :appointment, 1, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :appointment, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values ('0190d3b4-0000-7000-8000-000000000001', :key, decode(repeat('00', 32), 'hex'), decode(repeat('00', 700), 'hex'), :patient);
commit;
