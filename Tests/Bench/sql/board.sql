-- What a board costs while nothing changes: is the copy still exact?
\set n random(1, COUNT)
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select version from queue_day where tenant_id = 'TENANT' and location_id = (select site from bench.wish where n = :n) and local_date = 'DAY';
\endpipeline
