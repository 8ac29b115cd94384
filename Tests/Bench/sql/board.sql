-- What a board costs while nothing changes: whose day is it, is the copy still exact, and who looked. The peers read the whole day.
\set n random(1, COUNT)
\startpipeline
select set_config('app.tenant', 'TENANT', true);
select zone from location_card where location_id = (select site from bench.wish where n = :n);
select version from queue_day where tenant_id = 'TENANT' and location_id = (select site from bench.wish where n = :n) and local_date = 'DAY';
insert into outbox (id, type, subject, revision, traceparent, data, occurred_at)
    select bench.id(), 'audit.access.recorded.v1', 'queue', 0, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        replace(entry::text, 'ENTRY', bench.id()::text)::json, now() from bench.wish where n = :n;
\endpipeline
