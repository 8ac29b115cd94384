\set n random(1, COUNT)
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted from patient p join data_key k on k.person_id = p.id where p.id = (select id from bench.wish where n = :n);
insert into outbox (id, type, subject, revision, traceparent, data, occurred_at) select bench.id(), 'audit.access.recorded.v1', 'clinical', 0, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', replace(entry::text, 'ENTRY', bench.id()::text)::json, now() from bench.wish where n = :n;
\endpipeline
