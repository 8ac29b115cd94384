\set lock random(1, 9223372036854775807)
\set key random(1, 9223372036854775807)
begin;
select set_config('app.tenant', 'TENANT', true);
select id as dispensing, prescription, item, movement, medicine, batch, patient, prescriber, actor, fact, entry, moved from bench.wish where n = (select nextval('bench.at')) \gset
select (not exists (select from idempotency where account_id = '0190d3b4-0000-7000-8000-000000000001' and key = :key) and pg_try_advisory_xact_lock(:lock))::idempotency_key_unused;
select prescription_id, patient_id, prescribed_by, valid_until, status, dispensings from prescription_card where prescription_id = :prescription;
select item_id, medicine_id, prescribed, dispensed from prescription_item_card where prescription_id = :prescription order by position;
select paid from settlement_card where prescription_id = :prescription;
select prescription_id, patient_id, prescribed_by, valid_until, status, dispensings from prescription_card where prescription_id = :prescription for update;
select item_id, medicine_id, prescribed, dispensed from prescription_item_card where prescription_id = :prescription order by position;
select * from batch where medicine_id = any(array[:medicine]::uuid[]) and on_hand > 0 and not quarantined and expiry_date >= 'DAY' order by expiry_date, received_at, id for update;
insert into stock_movement (id, batch_id, medicine_id, kind, delta, reason, dispensing_id, actor_id, at, local_date)
    values (:movement, :batch, :medicine, 'OUT', -10, null, :dispensing, :actor, now(), 'DAY') returning on_hand, batch_version \gset
select * from medicine where id = any(array[:medicine]::uuid[]) order by id;
select coalesce(sum(on_hand), 0)::bigint from batch where medicine_id = :medicine and on_hand > 0 and not quarantined and expiry_date >= 'DAY';
update prescription_card set dispensings = 1 where prescription_id = :prescription;
update prescription_item_card set dispensed = 10 where item_id = :item and dispensed <> 10;
insert into dispensing (id, prescription_id, patient_id, complete, prescribed_by, dispensed_by, at, local_date) values (:dispensing, :prescription, :patient, true, :prescriber, :actor, now(), 'DAY');
insert into dispensing_line (dispensing_id, position, prescription_item_id, medicine_id, batch_id, lot_number, expiry_date, quantity)
    values (:dispensing, 0, :item, :medicine, :batch, 'L1', 'DAY', 10);
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'pharmacy.stock.moved.v1', :batch, :batch_version, :actor, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :moved, now()),
       (gen_random_uuid(), 'pharmacy.prescription.dispensed.v1', :prescription, 1, :actor, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :dispensing, 0, :actor, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values ('0190d3b4-0000-7000-8000-000000000001', :key, decode(repeat('00', 32), 'hex'), decode(repeat('00', 700), 'hex'), :patient);
commit;
