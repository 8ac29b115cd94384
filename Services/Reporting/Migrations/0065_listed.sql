-- Who was on a list that somebody read. The entry itself names them, in `after`, and is chained; this is no more than
-- the way from a patient to it. An index over `after` would not do: under row-level security Postgres uses only
-- conditions that cannot leak, and those on JSON and arrays may.
create table audit_listed (
    tenant_id  uuid not null,
    patient_id uuid not null,
    at         timestamptz not null,
    entry_id   uuid not null constraint audit_listed_entry references audit_entry,
    -- A patient's own question, newest first.
    constraint audit_listed_once primary key (tenant_id, patient_id, at, entry_id)
);
alter table audit_listed enable row level security;
create policy audit_listed_of_tenant on audit_listed
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select on audit_listed to :service_role;

-- The database writes it with the entry, and nobody else does.
create function audit_list() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into audit_listed (tenant_id, patient_id, at, entry_id)
    select new.tenant_id, listed::uuid, new.at, new.id from jsonb_array_elements_text(new.after -> 'patients') as listed
    where listed ~ '^[0-9a-f-]{36}$'
    on conflict do nothing;
    return null;
end $$;
create trigger audit_entry_list after insert on audit_entry for each row
    when (jsonb_typeof(new.after -> 'patients') = 'array') execute function audit_list();

-- Lists that were read before.
alter table audit_entry no force row level security;
insert into audit_listed (tenant_id, patient_id, at, entry_id)
select e.tenant_id, listed::uuid, e.at, e.id
from audit_entry e, jsonb_array_elements_text(e.after -> 'patients') as listed
where jsonb_typeof(e.after -> 'patients') = 'array' and listed ~ '^[0-9a-f-]{36}$'
on conflict do nothing;
alter table audit_entry force row level security;
alter table audit_listed force row level security;
