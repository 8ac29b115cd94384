-- A notice tells somebody that something happened: by role, or to one patient. It holds ids, never names.
create table notice (
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    id         uuid primary key,
    -- what happened, e.g. stock_ran_low
    kind       text not null,
    -- the thing it is about
    subject_id uuid not null,
    -- who should know: everybody of a role, or one patient
    role       text,
    patient_id uuid,
    at         timestamptz not null,
    -- one notice per fact and audience, however often the fact is delivered
    event_id   uuid not null,
    constraint notice_one_per_fact unique nulls not distinct (tenant_id, event_id, role, patient_id),
    constraint notice_has_an_audience check (num_nonnulls(role, patient_id) = 1)
);
-- a person's list, newest first
create index notice_by_role on notice (tenant_id, role, at desc, id desc) where role is not null;
create index notice_by_patient on notice (tenant_id, patient_id, at desc, id desc) where patient_id is not null;
-- the hub looks for what was just committed
create index notice_recent on notice (tenant_id, at);

-- That somebody has read a notice; each of a role reads for themselves.
create table notice_read (
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    notice_id  uuid not null references notice (id),
    account_id uuid not null,
    at         timestamptz not null,
    primary key (notice_id, account_id)
);

alter table notice enable row level security;
alter table notice force row level security;
create policy notice_tenant on notice
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
alter table notice_read enable row level security;
alter table notice_read force row level security;
create policy notice_read_tenant on notice_read
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on notice to :service_role;
grant select, insert on notice_read to :service_role;
