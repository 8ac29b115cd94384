-- One waiting room's day: hands out numbers without gaps, and says which state of the board is the newest.
create table queue_day (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    location_id uuid not null,
    local_date date not null,
    last_sequence int not null default 0,
    -- bumped by every change of the day's tokens: a copy of the board with this version is exact
    version bigint not null default 1,
    constraint queue_day_key primary key (tenant_id, location_id, local_date)
) with (fillfactor = 50);  -- one hot row per day and site: its updates stay on its page
alter table queue_day enable row level security;
alter table queue_day force row level security;
create policy queue_day_tenant on queue_day
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- One patient's place in one practitioner's queue today.
create table token (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    location_id uuid not null,
    local_date date not null,
    sequence int not null,
    patient_id uuid not null,
    provider_id uuid not null,
    appointment_id uuid,
    priority text not null,
    -- the place in the queue, computed by the rule when the token is issued (Token.Place)
    urgency smallint not null,
    lane smallint not null,
    due_at timestamptz not null,
    status text not null default 'WAITING',
    issued_at timestamptz not null,
    called_at timestamptz,
    completed_at timestamptz,
    -- until the first call
    waited_seconds int,
    version int not null default 1,
    constraint token_status_known check (status in ('WAITING', 'WITH_DOCTOR', 'COMPLETED', 'SKIPPED', 'LEFT')),
    constraint token_priority_known check (priority in ('routine', 'urgent', 'emergency')),
    constraint token_number_unique unique (tenant_id, location_id, local_date, sequence)
) with (fillfactor = 80);
alter table token enable row level security;
alter table token force row level security;
create policy token_tenant on token
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- An appointment is checked in once, unless the patient left and came back.
create unique index token_one_per_appointment on token (tenant_id, appointment_id)
    where appointment_id is not null and status <> 'LEFT';
-- A patient who walked in waits once for each practitioner.
create unique index token_one_per_walk_in on token (tenant_id, patient_id, provider_id, local_date)
    where appointment_id is null and status in ('WAITING', 'WITH_DOCTOR', 'SKIPPED');
-- A practitioner sees one patient at a time.
create unique index token_one_with_doctor on token (tenant_id, provider_id, local_date)
    where status = 'WITH_DOCTOR';
-- Who is next: the head of this index.
create index token_next on token (tenant_id, provider_id, local_date, urgency, lane, due_at, sequence)
    where status = 'WAITING';

grant select, insert, update on queue_day, token to :service_role;
