-- Both requests: the invoice, then its payment.
\set lock1 random(1, 9223372036854775807)
\set key1 random(1, 9223372036854775807)
\set lock2 random(1, 9223372036854775807)
\set key2 random(1, 9223372036854775807)
select gen_random_uuid() as invoice, gen_random_uuid() as issue, gen_random_uuid() as payment, gen_random_uuid() as paid, 1 + (random() * (COUNT - 1))::int as n \gset
begin;
select set_config('app.tenant', 'TENANT', true);
select (not exists (select from idempotency where account_id = '0190d3b4-0000-7000-8000-000000000001' and key = :key1) and pg_try_advisory_xact_lock(:lock1))::idempotency_key_unused;
select visit_id as visit, patient_id as patient, location_id as location from visit_card where visit_id = (select visit from bench.wish where n = :n) \gset
insert into invoice_counter (series, year, last) values ('INV', 2026, 1)
    on conflict (tenant_id, series, year) do update set last = invoice_counter.last + 1 returning last \gset
insert into invoice (id, number, visit_id, patient_id, location_id, mode, created_by, created_at, status, discount_basis_points, discount_amount, currency,
    subtotal, discount, tax, total, local_date, version)
    values (:invoice, 'INV-2026-' || lpad(:last::text, 6, '0'), :visit, :patient, :location, 'MANUAL', gen_random_uuid(), now(), 'DRAFT', null, null, 'INR', 50000, 0, 9000, 59000, 'DAY', 1);
select wrapped from data_key where person_id = :patient;
-- A patient's first bill makes the key; of nobody here, because the services must never meet one that they did not wrap.
insert into data_key (person_id, wrapped) values (gen_random_uuid(), decode(repeat('00', 62), 'hex')) on conflict (person_id) do nothing;
select wrapped from data_key where person_id = :patient;
insert into invoice_line (invoice_id, position, sealed_description, quantity, unit_price, tax_basis_points, subtotal, discount, tax, total)
    values (:invoice, 0, decode(repeat('00', 41), 'hex'), 1, 50000, 1800, 50000, 0, 9000, 59000);
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'audit.entry.recorded.v1', :invoice, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '{"service":"billing","action":"pay","resource":"invoice","resourceId":"0190d3b4-0000-7000-8000-000000000000","role":"reception","allowed": true}', now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values ('0190d3b4-0000-7000-8000-000000000001', :key1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 1100), 'hex'), :patient);
commit;
begin;
select set_config('app.tenant', 'TENANT', true);
select (not exists (select from idempotency where account_id = '0190d3b4-0000-7000-8000-000000000001' and key = :key2) and pg_try_advisory_xact_lock(:lock2))::idempotency_key_unused;
select *, (select wrapped from data_key where person_id = patient_id) from invoice where id = :invoice for update;
select * from invoice_line where invoice_id = :invoice order by position;
select prescription_id from invoice_prescription where invoice_id = :invoice order by 1;
update invoice set status = 'ISSUED', received = 0, refunded = 0, local_date = 'DAY', issued_at = now(), cancelled_reason = null, sealed_cancelled_reason = null, version = 2 where id = :invoice;
insert into ledger_entry (id, invoice_id, kind, at, local_date) values (:issue, :invoice, 'ISSUE', now(), 'DAY');
insert into ledger_line (entry_id, position, account, amount, currency) values (:issue, 0, 'receivable', 59000, 'INR');
insert into ledger_line (entry_id, position, account, amount, currency) values (:issue, 1, 'revenue', -50000, 'INR');
insert into ledger_line (entry_id, position, account, amount, currency) values (:issue, 2, 'tax', -9000, 'INR');
update invoice set status = 'PAID', received = 59000, refunded = 0, local_date = 'DAY', issued_at = issued_at, cancelled_reason = null, sealed_cancelled_reason = null, version = 3 where id = :invoice;
insert into payment (id, invoice_id, kind, method, amount, currency, credit_note_id, actor_id, at, local_date)
    values (:payment, :invoice, 'PAYMENT', 'CASH', 59000, 'INR', null, gen_random_uuid(), now(), 'DAY');
insert into ledger_entry (id, invoice_id, kind, at, local_date) values (:paid, :invoice, 'PAYMENT', now(), 'DAY');
insert into ledger_line (entry_id, position, account, amount, currency) values (:paid, 0, 'cash', 59000, 'INR');
insert into ledger_line (entry_id, position, account, amount, currency) values (:paid, 1, 'receivable', -59000, 'INR');
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'billing.invoice.issued.v1', :invoice::text, 2, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', json_build_object('invoiceId', :invoice::uuid, 'visitId', :visit::uuid, 'patientId', :patient::uuid, 'number', 'INV-2026-000001', 'prescriptionIds', json_build_array(), 'total', json_build_object('amount', 59000, 'currency', 'INR'), 'localDate', 'DAY'), now()),
       (gen_random_uuid(), 'billing.payment.received.v1', :payment::text, 1, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', json_build_object('paymentId', :payment::uuid, 'invoiceId', :invoice::uuid, 'method', 'CASH', 'paid', json_build_object('amount', 59000, 'currency', 'INR'), 'due', json_build_object('amount', 0, 'currency', 'INR'), 'localDate', 'DAY'), now()),
       (gen_random_uuid(), 'billing.invoice.paid.v1', :invoice::text, 3, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', json_build_object('invoiceId', :invoice::uuid, 'visitId', :visit::uuid, 'patientId', :patient::uuid, 'prescriptionIds', json_build_array(), 'total', json_build_object('amount', 59000, 'currency', 'INR'), 'localDate', 'DAY'), now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :invoice::text, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '{"service":"billing","action":"pay","resource":"invoice","resourceId":"0190d3b4-0000-7000-8000-000000000000","role":"reception","allowed": true}', now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values ('0190d3b4-0000-7000-8000-000000000001', :key2, decode(repeat('00', 32), 'hex'), decode(repeat('00', 700), 'hex'), :patient);
commit;
