-- Whose audit facts are counted is not for the caller to say: a service could take another's numbers. A schema is a service.
create function outbox_tell() returns bigint language plpgsql security definer set search_path from current as $$
declare
    told  record;
    count bigint := 0;
begin
    for told in
        with taken as (
            delete from outbox_sent where number in (
                select number from outbox_sent order by number limit 1000 for update skip locked)
            returning tenant_id, ids
        ), placed as (
            select t.tenant_id, id, (row_number() over (partition by t.tenant_id) - 1) / 500 as part
            from taken t, unnest(t.ids) as id where id is not null
        )
        select p.tenant_id, array_agg(p.id) as ids from placed p group by p.tenant_id, p.part order by p.tenant_id, p.part
    loop
        insert into outbox_told as t (tenant_id, number) values (told.tenant_id, 1)
        on conflict (tenant_id) do update set number = t.number + 1;
        insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
        select gen_random_uuid(), t.tenant_id, 'audit.facts.sent.v1', current_schema(), 0,
            '00-' || replace(gen_random_uuid()::text, '-', '') || '-' || left(replace(gen_random_uuid()::text, '-', ''), 16) || '-01',
            json_build_object('service', current_schema(), 'number', t.number, 'ids', told.ids), clock_timestamp()
        from outbox_told t where t.tenant_id = told.tenant_id;
        count := count + cardinality(told.ids);
    end loop;
    return count;
end $$;
revoke all on function outbox_tell() from public;
grant execute on function outbox_tell() to :service_role;

-- Processes of the release before call it with a name, which counts no more.
create or replace function outbox_tell(service text) returns bigint language sql security definer set search_path from current as
    'select outbox_tell()';

-- As before, but three of four batches of the relay hold no audit fact, and for them the join was most of what marking cost.
create or replace function outbox_note_sent() returns trigger language plpgsql security definer set search_path from current as $$
begin
    if not exists (select from is_now where type in ('audit.entry.recorded.v1', 'audit.access.recorded.v1')) then
        return null;
    end if;
    insert into outbox_sent (tenant_id, ids)
    select n.tenant_id, array_agg(case n.type when 'audit.access.recorded.v1'
        then (n.data -> 'entries' -> 0 ->> 'id')::uuid else n.id end)
    from is_now n join was w using (id)
    where n.published_at is not null and w.published_at is null
        and n.type in ('audit.entry.recorded.v1', 'audit.access.recorded.v1')
    group by n.tenant_id;
    return null;
end $$;
