-- One consultation. What was found (complaint, diagnoses in words, plan) is sealed in `findings` under the patient's
-- key; codes and measured values are in clear in the tables below, under ids that say nothing about the person.
create table visit (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null references patient (id),
    practitioner_id uuid not null,
    location_id uuid not null,
    local_date date not null,
    status text not null default 'in_progress',
    token_id uuid,
    appointment_id uuid,
    started_at timestamptz not null,
    completed_at timestamptz,
    findings bytea not null,
    -- A keyed hash of an imported encounter's identifier: importing twice changes nothing.
    external_ref bytea,
    version int not null default 1,
    constraint visit_status check (status in ('in_progress', 'completed')),
    constraint visit_completed_at check ((status = 'completed') = (completed_at is not null)),
    constraint visit_external_ref unique (tenant_id, external_ref)
);
-- A patient is in one consultation at a site at a time.
create unique index visit_one_open on visit (tenant_id, patient_id, location_id) where status = 'in_progress';
-- A patient's history, newest first.
create index visit_history on visit (patient_id, started_at desc, id desc);
alter table visit enable row level security;
alter table visit force row level security;
create policy visit_tenant on visit
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on visit to :service_role;

-- A measured value: LOINC code, UCUM unit.
create table visit_observation (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    visit_id uuid not null references visit (id),
    code text not null,
    value numeric(8, 3) not null,
    unit text not null,
    recorded_by uuid not null,
    recorded_at timestamptz not null default now(),
    primary key (visit_id, code)
);
alter table visit_observation enable row level security;
alter table visit_observation force row level security;
create policy visit_observation_tenant on visit_observation
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on visit_observation to :service_role;

-- The code of a diagnosis, for counting; its words are sealed in the visit.
create table visit_diagnosis (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    visit_id uuid not null references visit (id),
    position int not null,
    system text,
    code text not null,
    primary key (visit_id, position)
);
alter table visit_diagnosis enable row level security;
alter table visit_diagnosis force row level security;
create policy visit_diagnosis_tenant on visit_diagnosis
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on visit_diagnosis to :service_role;

-- What a clinician wrote during the visit. Never changed: no grant to.
create table visit_note (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    visit_id uuid not null references visit (id),
    category text not null,
    author_id uuid not null,
    written_at timestamptz not null,
    body bytea not null,
    constraint visit_note_category check (category in ('SYMPTOM', 'OBSERVATION', 'DIAGNOSIS', 'TREATMENT'))
);
-- The notes of a visit in the order they were written.
create index visit_note_visit on visit_note (visit_id, id);
alter table visit_note enable row level security;
alter table visit_note force row level security;
create policy visit_note_tenant on visit_note
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on visit_note to :service_role;

-- The whole visit as it was when it was signed. Never changed: no grant to.
create table visit_snapshot (
    visit_id uuid primary key references visit (id),
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null references patient (id),
    local_date date not null,
    signed_by uuid not null,
    signed_at timestamptz not null,
    body bytea not null
);
-- The visit history report: by day, newest first.
create index visit_snapshot_day on visit_snapshot (tenant_id, local_date desc, visit_id desc);
-- The same for one patient.
create index visit_snapshot_patient on visit_snapshot (patient_id, local_date desc, visit_id desc);
alter table visit_snapshot enable row level security;
alter table visit_snapshot force row level security;
create policy visit_snapshot_tenant on visit_snapshot
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on visit_snapshot to :service_role;

-- What was said about a visit after it was signed. Never changed: no grant to.
create table visit_addendum (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    visit_id uuid not null references visit (id),
    author_id uuid not null,
    written_at timestamptz not null,
    body bytea not null
);
create index visit_addendum_visit on visit_addendum (visit_id, id);
alter table visit_addendum enable row level security;
alter table visit_addendum force row level security;
create policy visit_addendum_tenant on visit_addendum
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on visit_addendum to :service_role;

-- A signed visit is final in SQL too, whatever the code above it does.
create function visit_is_final() returns trigger language plpgsql as $$
begin
    if old.status = 'completed' then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger visit_is_final before update or delete on visit
    for each row execute function visit_is_final();

-- Nor does anything that belongs to it, once its snapshot is taken.
create function visit_part_is_final() returns trigger language plpgsql as $$
begin
    if exists (
        select from visit_snapshot s
        where s.visit_id = case tg_op when 'DELETE' then old.visit_id else new.visit_id end
    ) then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger visit_observation_is_final before insert or update or delete on visit_observation
    for each row execute function visit_part_is_final();
create trigger visit_diagnosis_is_final before insert or update or delete on visit_diagnosis
    for each row execute function visit_part_is_final();
create trigger visit_note_is_final before insert or update or delete on visit_note
    for each row execute function visit_part_is_final();
