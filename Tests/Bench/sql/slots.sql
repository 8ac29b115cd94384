\set n random(1, COUNT)
begin;
select set_config('app.tenant', 'TENANT', true);
select provider, day from bench.wish where n = :n \gset
select id, provider_id, location_id, starts_at, ends_at, local_date, status, block_reason, version from slot
    where true and provider_id = :provider and local_date = :day::date order by starts_at, id limit 101;
commit;
