-- The catalogue as pharmacy told it: what a prescription needs to know of a medicine.
create table medicine_card (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    name text not null,
    generic_name text,
    form text not null,
    strength text,
    atc text,
    active boolean not null,
    revision int not null
);
alter table medicine_card enable row level security;
alter table medicine_card force row level security;
create policy medicine_card_tenant on medicine_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on medicine_card to :service_role;

-- A practitioner's professional name, as auth told it: published, and printed on prescriptions.
create table practitioner_card (
    account_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    name text,
    revision int not null
);
alter table practitioner_card enable row level security;
alter table practitioner_card force row level security;
create policy practitioner_card_tenant on practitioner_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on practitioner_card to :service_role;

-- What a doctor ordered. Never changed: no grant to. `words` holds directions and the reason of an override, sealed.
create table prescription (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    visit_id uuid not null references visit (id),
    patient_id uuid not null references patient (id),
    practitioner_id uuid not null,
    issued_at timestamptz not null,
    local_date date not null,
    valid_until date not null,
    words bytea not null,
    constraint prescription_validity check (valid_until >= local_date)
);
create index prescription_visit on prescription (visit_id, id);
-- The medicines a patient takes now: what a new one is checked against.
create index prescription_current on prescription (patient_id, valid_until);
alter table prescription enable row level security;
alter table prescription force row level security;
create policy prescription_tenant on prescription
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on prescription to :service_role;

-- One medicine of a prescription, with the catalogue's words of that day. Never changed: no grant to.
create table prescription_item (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    prescription_id uuid not null references prescription (id),
    position int not null,
    medicine_id uuid not null,
    name text not null,
    generic_name text,
    form text not null,
    strength text,
    atc text,
    -- Thousandths of `dose_unit`: half a tablet is 500.
    dose bigint not null,
    dose_unit text not null,
    frequency_per_day int not null,
    duration_days int not null,
    quantity int not null,
    unit text not null,
    constraint prescription_item_position unique (prescription_id, position),
    constraint prescription_item_dose check (dose between 1 and 10000000),
    constraint prescription_item_frequency check (frequency_per_day between 1 and 24),
    constraint prescription_item_duration check (duration_days between 1 and 365),
    constraint prescription_item_quantity check (quantity between 1 and 100000)
);
alter table prescription_item enable row level security;
alter table prescription_item force row level security;
create policy prescription_item_tenant on prescription_item
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on prescription_item to :service_role;
