-- Which organisations there are. The registry is asked before a tenant is known (opening one by name), so it is not
-- under row-level security; an organisation's name is published, not personal.
create table tenant (
    id        uuid primary key,
    name      text not null,
    opened_at timestamptz not null,
    -- Opening a tenant twice by name must find the first one.
    constraint tenant_named_once unique (name)
);
grant select, insert on tenant to :service_role;

-- The key that a tenant's personal columns are sealed with, wrapped by the master key: destroying the row erases them.
create table tenant_key (
    tenant_id  uuid primary key default current_setting('app.tenant')::uuid,
    wrapped    bytea not null,
    created_at timestamptz not null default now()
);
alter table tenant_key enable row level security;
alter table tenant_key force row level security;
create policy tenant_key_of_tenant on tenant_key
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on tenant_key to :service_role;

-- Clinic sites: each has one zone, which decides what "today" is there, and one currency.
create table location (
    id        uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    name      text not null,
    zone      text not null,
    currency  char(3) not null,
    version   int not null default 1,
    opened_at timestamptz not null,
    -- Two sites of one name could not be told apart at the reception desk.
    constraint location_named_once unique (tenant_id, name)
);
alter table location enable row level security;
alter table location force row level security;
create policy location_of_tenant on location
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on location to :service_role;
