begin;
select set_config('app.tenant', 'TENANT', true);
select id as visit, patient from bench.wish where n = (select nextval('bench.at')) \gset
select v.*, k.wrapped, (select json_object_agg(o.code, coalesce(o.sealed_value::text, o.value::text))::text from visit_observation o where o.visit_id = v.id)
    from visit v join patient p on p.id = v.patient_id join data_key k on k.person_id = p.id where v.id = :visit for update of v;
update visit set status = 'completed', completed_at = now(), version = 2 where id = :visit and version = 1;
select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted from patient p join data_key k on k.person_id = p.id where p.id = :patient;
select * from visit_note where visit_id = :visit order by id;
select * from prescription where visit_id = :visit order by id;
insert into visit_snapshot (visit_id, patient_id, local_date, signed_by, signed_at, body)
    values (:visit, :patient, 'DAY', gen_random_uuid(), now(), decode(repeat('00', 400), 'hex'));
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'audit.entry.recorded.v1', :visit, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '{"service":"clinical","action":"complete","resource":"visit","resourceId":"0190d3b4-0000-7000-8000-000000000000","role":"doctor","allowed": true}', now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :visit, 0, gen_random_uuid(), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '{"service":"clinical","action":"complete","resource":"visit","resourceId":"0190d3b4-0000-7000-8000-000000000000","role":"doctor","allowed": true}', now());
commit;
