-- Small copies of facts that other services own: ids and states, fed by events or by asking once.

-- Which account is which practitioner, and where they work.
create table provider_card (
    provider_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    account_id uuid not null,
    location_id uuid not null,
    zone text not null,
    revision int not null,
    constraint provider_card_one_per_account unique (tenant_id, account_id)
);
alter table provider_card enable row level security;
alter table provider_card force row level security;
create policy provider_card_tenant on provider_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- What is booked. A cancellation may come before the booking: then where and how long are not known.
create table appointment_card (
    appointment_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null,
    provider_id uuid not null,
    location_id uuid,
    starts_at timestamptz not null,
    local_date date not null,
    status text not null,
    priority text not null,
    revision int not null
);
alter table appointment_card enable row level security;
alter table appointment_card force row level security;
create policy appointment_card_tenant on appointment_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- Who may walk in: nothing but whether the record is open.
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

-- The zone of a site decides what today is there.
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

grant select, insert, update on provider_card, appointment_card, patient_card, location_card to :service_role;
