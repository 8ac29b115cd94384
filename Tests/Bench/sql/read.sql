\set n random(1, COUNT)
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select id, mrn, location_id, registered_at, active, version, data_key, personal from patient where id = (select id from bench.wish where n = :n);
\endpipeline
