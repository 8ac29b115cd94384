-- Each entry is chained to the one before: hash = SHA-256(hash before || everything the entry says). Whoever changes,
-- removes or swaps an entry breaks the chain there; whoever writes the whole chain anew is at odds with a checkpoint
-- that was signed and taken elsewhere.

-- What a chain has come to: only the trigger below, which runs as the owner, may move it.
create table audit_head (
    tenant_id uuid primary key default current_setting('app.tenant')::uuid,
    size      bigint not null,
    head      bytea not null,
    constraint audit_head_size_counts check (size >= 0)
);
alter table audit_head enable row level security;
create policy audit_head_of_tenant on audit_head
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select on audit_head to :service_role;

-- The tenants that have a chain, for the worker that signs checkpoints and for the verifier; it says nothing else.
create table tenant_card (tenant_id uuid primary key);
grant select on tenant_card to :service_role;

alter table audit_entry add column seq bigint, add column hash bytea;

-- Everything an entry says, in one text that is the same in every session.
create function audit_canonical(e audit_entry) returns text language sql stable as $$
    select jsonb_build_array(e.seq, e.id, e.tenant_id, (extract(epoch from e.at) * 1000000)::bigint, e.actor_id, e.role,
        e.service, e.action, e.resource, e.resource_id, e.allowed, e.before, e.after, e.trace, e.patient_id,
        e.purpose)::text
$$;

-- Entries of one tenant are chained one after the other: the head's row lock is the queue.
create function audit_chain() returns trigger language plpgsql security definer set search_path from current as $$
declare
    last audit_head;
begin
    insert into audit_head (tenant_id, size, head) values (new.tenant_id, 0, sha256('')) on conflict do nothing;
    if found then
        insert into tenant_card (tenant_id) values (new.tenant_id) on conflict do nothing;
    end if;
    select * into strict last from audit_head where tenant_id = new.tenant_id for update;
    if exists (select from audit_entry where id = new.id) then
        return null;  -- The same entry again: it has its place.
    end if;
    new.seq := last.size + 1;
    new.hash := sha256(last.head || convert_to(audit_canonical(new), 'UTF8'));
    update audit_head set size = new.seq, head = new.hash where tenant_id = new.tenant_id;
    return new;
end $$;

-- Entries from before there was a chain are chained in the order in which they happened.
alter table audit_entry no force row level security;
do $$
declare
    entry audit_entry;
    last audit_head;
begin
    for entry in select * from audit_entry order by at, id loop
        insert into audit_head (tenant_id, size, head) values (entry.tenant_id, 0, sha256('')) on conflict do nothing;
        insert into tenant_card (tenant_id) values (entry.tenant_id) on conflict do nothing;
        select * into strict last from audit_head where tenant_id = entry.tenant_id;
        entry.seq := last.size + 1;
        entry.hash := sha256(last.head || convert_to(audit_canonical(entry), 'UTF8'));
        update audit_entry set seq = entry.seq, hash = entry.hash where id = entry.id;
        update audit_head set size = entry.seq, head = entry.hash where tenant_id = entry.tenant_id;
    end loop;
end $$;
alter table audit_entry force row level security;
alter table audit_head force row level security;

alter table audit_entry alter column seq set not null, alter column hash set not null;
-- The order of the chain, without gap or twin.
create unique index audit_entry_chained on audit_entry (tenant_id, seq);
create trigger audit_entry_chain before insert on audit_entry for each row execute function audit_chain();

-- The checkpoints that were signed: how far was taken elsewhere. The copies elsewhere are what counts.
create table audit_checkpoint (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    size      bigint not null,
    head      bytea not null,
    at        timestamptz not null,
    key_id    text not null,
    signature bytea not null,
    constraint audit_checkpoint_once primary key (tenant_id, size)
);
alter table audit_checkpoint enable row level security;
alter table audit_checkpoint force row level security;
create policy audit_checkpoint_of_tenant on audit_checkpoint
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on audit_checkpoint to :service_role;
