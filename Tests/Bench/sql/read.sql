\set n random(1, COUNT)
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted from patient p join data_key k on k.person_id = p.id where p.id = (select id from bench.wish where n = :n);
\endpipeline
