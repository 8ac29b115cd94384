-- Small copies of facts that other services own: ids and states, fed by events or by asking once.

-- Which tenants exist: the sweeper visits them one by one. It says nothing about a tenant, so it needs no policy.
create table tenant_card (
    tenant_id uuid primary key
);

-- Who may sign in and whether as a doctor. Two revisions, because the two kinds of event may overtake each other.
create table account_card (
    account_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    is_doctor boolean not null default false,
    location_id uuid,
    zone text,
    name text,
    roles_revision int not null default 0,
    is_active boolean not null default true,
    active_revision int not null default 0
);
alter table account_card enable row level security;
alter table account_card force row level security;
create policy account_card_tenant on account_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- Who can be booked: nothing but whether the record is open.
create table patient_card (
    patient_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    is_active boolean not null
);
alter table patient_card enable row level security;
alter table patient_card force row level security;
create policy patient_card_tenant on patient_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- The zone of a site decides which instant "09:00" is.
create table location_card (
    location_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    zone text not null
);
alter table location_card enable row level security;
alter table location_card force row level security;
create policy location_card_tenant on location_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on tenant_card to :service_role;
grant select, insert, update on account_card, patient_card, location_card to :service_role;
