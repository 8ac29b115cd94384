-- The key of each tenant, wrapped by the master key that only processes hold.
create table tenant_key (
    tenant_id uuid primary key default current_setting('app.tenant')::uuid,
    wrapped bytea not null,
    created_at timestamptz not null default now()
);
alter table tenant_key enable row level security;
alter table tenant_key force row level security;
create policy tenant_key_tenant on tenant_key
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on tenant_key to :service_role;

-- The last medical record number each tenant gave out. A number whose registration rolled back is given again.
create table mrn_counter (
    tenant_id uuid primary key default current_setting('app.tenant')::uuid,
    last bigint not null,
    constraint mrn_counter_positive check (last > 0)
);
alter table mrn_counter enable row level security;
alter table mrn_counter force row level security;
create policy mrn_counter_tenant on mrn_counter
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on mrn_counter to :service_role;

-- A person known to the clinic. Nothing personal is in clear: `personal` is sealed under `data_key`, and destroying
-- `data_key` erases the person, in backups too.
create table patient (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    mrn bigint not null,
    location_id uuid not null,
    active boolean not null default true,
    registered_at timestamptz not null default now(),
    data_key bytea not null,
    personal bytea not null,
    -- A keyed hash of the identifier another system gave to the person: imports recognise it, nobody can read it.
    external_ref bytea,
    version int not null default 1,
    constraint patient_mrn unique (tenant_id, mrn),
    constraint patient_external_ref unique (tenant_id, external_ref)
);
-- The plain list is the newest first; identifiers sort by the time they were made.
create index patient_newest on patient (tenant_id, id desc);
alter table patient enable row level security;
alter table patient force row level security;
create policy patient_tenant on patient
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on patient to :service_role;

-- What a patient is found by: keyed 64-bit hashes of the words of the name, of each word without one letter, of its
-- first letters, of its sound, and of the phone number (docs/decisions/0004-names-stay-searchable.md).
create table patient_key (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    key bigint not null,
    -- No foreign key: this is an index that is made again from the record, and it has 28 rows per patient.
    patient_id uuid not null
);
-- Keys of different tenants differ, so the key alone finds. Everything a search reads is in the index: measured ten
-- times faster for popular names than fetching the rows.
create unique index patient_key_found on patient_key (key, patient_id) include (tenant_id);
alter table patient_key enable row level security;
alter table patient_key force row level security;
create policy patient_key_tenant on patient_key
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on patient_key to :service_role;
