-- Who did what to what, in every service: written once, read by administrators and auditors.
-- `id` is the event's, so a redelivered entry finds itself here.
create table audit_entry (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    at timestamptz not null,
    actor_id uuid,
    role text not null,
    service text not null,
    action text not null,
    resource text not null,
    resource_id text not null,
    -- Whether it was permitted.
    allowed boolean not null,
    before jsonb,
    after jsonb,
    trace text not null
);

-- Newest first, in all and by the three questions that are asked: what happened to it, what did they do, how often.
create index audit_entry_newest on audit_entry (tenant_id, at desc, id desc);
create index audit_entry_of_resource on audit_entry (tenant_id, resource, resource_id, at desc, id desc);
create index audit_entry_of_actor on audit_entry (tenant_id, actor_id, at desc, id desc);

alter table audit_entry enable row level security;
alter table audit_entry force row level security;
create policy audit_entry_of_tenant on audit_entry
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on audit_entry to :service_role;
