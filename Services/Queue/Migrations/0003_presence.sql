-- Whether a practitioner is there, and in which room.
create table presence (
    provider_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    status text not null,
    until timestamptz,
    room text,
    version int not null default 1,
    constraint presence_status_known check (status in ('online', 'offline', 'break'))
);
alter table presence enable row level security;
alter table presence force row level security;
create policy presence_tenant on presence
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on presence to :service_role;
