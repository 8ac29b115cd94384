begin;
select set_config('app.tenant', 'TENANT', true);
select id as appointment, slot, target, target_provider, target_location, target_start, target_end, target_date, fact, entry
    from bench.wish where n = (select nextval('bench.at')) \gset
select id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, status, modality, priority, sealed_reason,
    sealed_cancel_reason, token_id, visit_id, version, booked_at, answer_by from appointment where id = :appointment for no key update;
select id, provider_id, location_id, starts_at, ends_at, local_date, status, block_reason, version from slot
    where id = any(array[:slot, :target]::uuid[]) order by id for no key update;
select id, account_id, location_id, zone, name, to_json(specialties), to_json(languages), is_active, licensed_until, presence, presence_until,
    version, booking_mode, request_hours, rating_count, rating_sum from provider where id = :target_provider;
update slot set status = 'free', version = version + 1 where id = :slot and status = 'booked';
update slot set status = 'booked', version = version + 1 where id = :target;
update appointment set slot_id = :target, provider_id = :target_provider, location_id = :target_location, starts_at = :target_start,
    ends_at = :target_end, local_date = :target_date, status = 'booked', sealed_reason = null, sealed_cancel_reason = null,
    token_id = null, visit_id = null, version = 2 where id = :appointment;
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'scheduling.appointment.rescheduled.v1', :appointment, 2, gen_random_uuid(),
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :appointment, 0, gen_random_uuid(),
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
commit;
