-- The service's first statement for two words, and who was found; it asks again, by sound or by a beginning, only when nobody is.
\set n random(1, COUNT)
select first, last from bench.wish where n = :n \gset
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted, 'role'
    from patient p join data_key k on k.person_id = p.id
    where ('role') is not null and p.id = any(array(select patient_id from patient_key where key = any(:first::bigint[])
        intersect select patient_id from patient_key where key = any(:last::bigint[]) limit 200));
insert into outbox (id, type, subject, revision, traceparent, data, occurred_at) select bench.id(), 'audit.access.recorded.v1', 'clinical', 0, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', replace(entry::text, 'ENTRY', bench.id()::text)::json, now() from bench.wish where n = :n;
\endpipeline
