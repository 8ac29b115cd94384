-- Entries come many at a time, and one call chains them all. A trigger for each row moved the head once for each, and in
-- one transaction Postgres reads past every earlier version of it: 100 to 144 us for each of 1,000 entries, where this takes 40.
drop trigger audit_entry_chain on audit_entry;
drop function audit_chain();

-- One link: what the head was, or what the links before came to, and what the next entry says.
create function audit_link(so_far bytea, head bytea, canonical text) returns bytea language plpgsql stable as $$
begin
    return sha256(coalesce(so_far, head) || convert_to(canonical, 'UTF8'));
end $$;
create aggregate audit_chained(head bytea, canonical text) (sfunc = audit_link, stype = bytea);

-- Entries of one tenant are chained one after the other: the head's row lock is the queue. An entry that comes again has its
-- place already. It runs as the owner and is the only way to write, so nobody can leave an entry out of the chain.
create function audit_append(
    ids uuid[], ats timestamptz[], actors uuid[], roles text[], services text[], actions text[], resources text[],
    resource_ids text[], alloweds boolean[], befores jsonb[], afters jsonb[], traces text[], patients uuid[],
    purposes text[]
) returns bigint language plpgsql security definer set search_path from current as $$
declare
    tenant constant uuid := current_setting('app.tenant')::uuid;
    last   audit_head;
    newest audit_head;
begin
    insert into audit_head (tenant_id, size, head) values (tenant, 0, sha256('')) on conflict do nothing;
    if found then
        insert into tenant_card (tenant_id) values (tenant) on conflict do nothing;
    end if;
    select * into strict last from audit_head where tenant_id = tenant for update;
    with recorded as (
        select distinct on (r.id) r.*
        from unnest(ids, ats, actors, roles, services, actions, resources, resource_ids, alloweds, befores, afters, traces,
                    patients, purposes) with ordinality
            as r (id, at, actor_id, role, service, action, resource, resource_id, allowed, before, after, trace, patient_id,
                  purpose, place)
        where not exists (select from audit_entry e where e.id = r.id)
        order by r.id, r.place
    ), fresh as (
        select row(r.id, tenant, r.at, r.actor_id, r.role, r.service, r.action, r.resource, r.resource_id, r.allowed,
                   r.before, r.after, r.trace, r.patient_id, r.purpose,
                   last.size + row_number() over (order by r.place), null)::audit_entry as e
        from recorded r
    ), added as (
        insert into audit_entry
        select (e).id, (e).tenant_id, (e).at, (e).actor_id, (e).role, (e).service, (e).action, (e).resource, (e).resource_id,
            (e).allowed, (e).before, (e).after, (e).trace, (e).patient_id, (e).purpose, (e).seq,
            audit_chained(last.head, audit_canonical(e)) over (order by (e).seq)
        from fresh
        returning seq, hash
    )
    select tenant, seq, hash into newest from added order by seq desc limit 1;
    if not found then
        return 0;
    end if;
    update audit_head set size = newest.size, head = newest.head where tenant_id = tenant;
    return newest.size - last.size;
end $$;

-- A release before this one that still runs is refused: what it is given waits in its retry queues for this one.
revoke all on function audit_append from public;
grant execute on function audit_append to :service_role;
revoke insert on audit_entry from :service_role;

-- Every read of a chart writes into each of these, so they are as narrow as their questions allow: 31 us for an entry before,
-- 17 after (10,000 in one statement). An account, a patient and a resource belong to one tenant anyway, and whoever asks
-- for the newest reads backwards.
drop index audit_entry_newest, audit_entry_of_resource, audit_entry_of_actor, audit_entry_of_patient;
create index audit_entry_newest on audit_entry (tenant_id, at, id);
create index audit_entry_of_resource on audit_entry (resource_id, at);
create index audit_entry_of_actor on audit_entry (actor_id, at) where actor_id is not null;
create index audit_entry_of_patient on audit_entry (patient_id, at) where patient_id is not null;
