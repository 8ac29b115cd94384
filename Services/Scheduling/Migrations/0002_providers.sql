-- A practitioner as a patient books one.
create table provider (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    account_id uuid not null,
    location_id uuid not null,
    zone text not null,
    name text not null,
    specialties text[] not null default '{}',
    languages text[] not null default '{}',
    is_active boolean not null default true,
    -- what queue last announced
    presence text not null default 'offline',
    presence_until timestamptz,
    presence_revision int not null default 0,
    -- the revision of the roster's events: opening slots must not make an edit of the profile stale
    roster_revision int not null default 0,
    version int not null default 1,
    constraint provider_one_per_account unique (tenant_id, account_id),
    constraint provider_presence_known check (presence in ('online', 'offline', 'break')),
    constraint provider_lists_bounded check (cardinality(specialties) <= 20 and cardinality(languages) <= 20)
);
alter table provider enable row level security;
alter table provider force row level security;
create policy provider_tenant on provider
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- The directory is read in this order.
create index provider_directory on provider (tenant_id, name, id);

grant select, insert, update on provider to :service_role;
