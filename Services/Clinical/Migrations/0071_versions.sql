-- What a patient's record said before a change, and who changed it when: `body` is sealed under the patient's key, so that
-- it goes with it. The present version is the record itself. Never changed: no grant to.
create table patient_version (
    patient_id  uuid not null references patient (id),
    version     int not null,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    replaced_by uuid not null,
    replaced_at timestamptz not null default now(),
    body        bytea not null,
    -- A version is replaced once.
    constraint patient_version_once primary key (patient_id, version),
    constraint patient_version_positive check (version > 0)
);
alter table patient_version enable row level security;
alter table patient_version force row level security;
create policy patient_version_tenant on patient_version
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on patient_version to :service_role;

-- The same of a visit while it is open. Never changed: no grant to.
create table visit_version (
    visit_id    uuid not null references visit (id),
    version     int not null,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    replaced_by uuid not null,
    replaced_at timestamptz not null default now(),
    body        bytea not null,
    constraint visit_version_once primary key (visit_id, version),
    constraint visit_version_positive check (version > 0)
);
alter table visit_version enable row level security;
alter table visit_version force row level security;
create policy visit_version_tenant on visit_version
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on visit_version to :service_role;
