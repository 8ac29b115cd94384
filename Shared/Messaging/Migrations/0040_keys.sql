-- Which tenants have keys here: what rotation walks through. It says nothing else, so no tenant is needed to read it.
create table keyed_tenant (
    tenant_id uuid primary key
);
grant select, insert on keyed_tenant to :service_role;

-- A tenant's keys, newest last, each wrapped by the master key that only processes hold. They wrap the keys of
-- persons. A new one is announced ahead of `active_from`, so that every process knows it before anything is under it.
create table tenant_wrapping_key (
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    number      int not null,
    wrapped     bytea not null,
    active_from timestamptz not null default now(),
    created_at  timestamptz not null default now(),
    constraint tenant_wrapping_key_once primary key (tenant_id, number),
    constraint tenant_wrapping_key_counts check (number > 0)
);
alter table tenant_wrapping_key enable row level security;
alter table tenant_wrapping_key force row level security;
create policy tenant_wrapping_key_tenant on tenant_wrapping_key
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on tenant_wrapping_key to :service_role;
grant update (wrapped) on tenant_wrapping_key to :service_role;

-- The key of each person, wrapped by a key of the tenant. Everything personal about somebody in this schema is sealed
-- under it, and deleting the row makes all of that unreadable for ever: this table is in no backup of data, and the
-- separate backup of keys keeps only its latest copy (docs/decisions/0040-erasure-by-key.md).
create table data_key (
    person_id  uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    wrapped    bytea not null,
    created_at timestamptz not null default now()
);
-- Rotation walks a tenant's keys in this order.
create index data_key_of_tenant on data_key (tenant_id, person_id);
alter table data_key enable row level security;
alter table data_key force row level security;
create policy data_key_tenant on data_key
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on data_key to :service_role;
grant update (wrapped) on data_key to :service_role;
