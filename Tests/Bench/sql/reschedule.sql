begin;
select set_config('app.tenant', 'TENANT', true);
select id as appointment, slot, target, target_provider, target_start, target_end, target_date, fact, entry from bench.wish where n = (select nextval('bench.at')) \gset
select * from appointment where id = :appointment for no key update;
select * from slot where id in (:slot, :target) order by id for no key update;
select id, is_active, version from provider where id = :target_provider;
update slot set status = 'free', version = version + 1 where id = :slot and status = 'booked';
update slot set status = 'booked', version = version + 1 where id = :target;
update appointment set slot_id = :target, provider_id = :target_provider, starts_at = :target_start, ends_at = :target_end, local_date = :target_date,
    status = 'booked', reason = null, cancel_reason = null, token_id = null, visit_id = null, version = 2 where id = :appointment;
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'audit.entry.recorded.v1', :appointment, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :appointment, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
commit;
