-- An audit fact that was written reaches the trail, or its absence is seen (docs/decisions/0042-audit-facts-are-counted-out.md).
-- Whoever has this service's login may say that a fact was published when it was not. The database notes, in the same
-- statement, which audit facts were said to have left; reporting is told their ids under numbers without gap.

-- Ids of audit entries that were said to have left and that reporting has not been told of. The service has no right here.
create table outbox_sent (
    number    bigint generated always as identity primary key,
    tenant_id uuid not null,
    ids       uuid[] not null
);

-- How many times reporting was told, by tenant: a number that never arrives is one that somebody kept back.
create table outbox_told (
    tenant_id uuid primary key,
    number    bigint not null,
    constraint outbox_told_counts check (number > 0)
);

-- One row for a batch of the relay. A fact about reads holds many entries and is kept whole, so the first stands for all.
create function outbox_note_sent() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into outbox_sent (tenant_id, ids)
    select n.tenant_id, array_agg(case n.type when 'audit.access.recorded.v1'
        then (n.data -> 'entries' -> 0 ->> 'id')::uuid else n.id end)
    from is_now n join was w using (id)
    where n.published_at is not null and w.published_at is null
        and n.type in ('audit.entry.recorded.v1', 'audit.access.recorded.v1')
    group by n.tenant_id;
    return null;
end $$;
create trigger outbox_sent_is_noted after update on outbox
    referencing old table as was new table as is_now for each statement execute function outbox_note_sent();

-- Tells reporting what was noted since the last time. It runs as the owner, who alone may say so.
create function outbox_tell(service text) returns bigint language plpgsql security definer set search_path from current as $$
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
        select gen_random_uuid(), t.tenant_id, 'audit.facts.sent.v1', service, 0,
            '00-' || replace(gen_random_uuid()::text, '-', '') || '-' || left(replace(gen_random_uuid()::text, '-', ''), 16) || '-01',
            json_build_object('service', service, 'number', t.number, 'ids', told.ids), clock_timestamp()
        from outbox_told t where t.tenant_id = told.tenant_id;
        count := count + cardinality(told.ids);
    end loop;
    return count;
end $$;
revoke all on function outbox_tell from public;
grant execute on function outbox_tell to :service_role;

-- A login that may announce could otherwise announce a count that suits it.
create function outbox_counted_by_owner() returns trigger language plpgsql as $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
create trigger outbox_counted_by_database before insert on outbox
    for each row when (new.type = 'audit.facts.sent.v1') execute function outbox_counted_by_owner();

-- What is missed must still be there to be read: audit facts stay for a day after they left, by the database's clock.
create or replace function outbox_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
create trigger outbox_audit_kept before delete on outbox
    for each row when (old.type like 'audit.%' and old.published_at > now() - interval '1 day') execute function outbox_refuse();
create function outbox_refuse_past() returns trigger language plpgsql as $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
create trigger outbox_marked_when_it_leaves before update on outbox
    for each row when (new.type like 'audit.%' and new.published_at < now() - interval '1 minute') execute function outbox_refuse_past();
