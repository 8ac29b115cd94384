-- A patient's claim on a slot.
create table appointment (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    slot_id uuid not null references slot,
    provider_id uuid not null,
    patient_id uuid not null,
    location_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    local_date date not null,
    status text not null default 'booked',
    modality text not null,
    priority text not null,
    -- why the patient comes, in their words: stays in this table, is in no event and no log
    reason text,
    cancel_reason text,
    booked_by uuid not null,
    token_id uuid,
    visit_id uuid,
    version int not null default 1,
    booked_at timestamptz not null default now(),
    constraint appointment_status_known check (status in ('booked', 'arrived', 'fulfilled', 'cancelled', 'noshow')),
    constraint appointment_modality_known check (modality in ('in_person', 'telemedicine')),
    constraint appointment_priority_known check (priority in ('routine', 'urgent', 'emergency')),
    -- A patient is never expected in two places at once.
    constraint appointment_patient_in_one_place
        exclude using gist (tenant_id with =, patient_id with =, tstzrange(starts_at, ends_at) with &&)
        where (status in ('booked', 'arrived'))
);
alter table appointment enable row level security;
alter table appointment force row level security;
create policy appointment_tenant on appointment
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- One living appointment per slot: the second guard behind the slot's own status.
create unique index appointment_one_per_slot on appointment (slot_id) where status <> 'cancelled';
-- The lists: a practitioner's, a patient's, everybody's.
create index appointment_of_provider on appointment (tenant_id, provider_id, starts_at, id);
create index appointment_of_patient on appointment (tenant_id, patient_id, starts_at, id);
create index appointment_by_time on appointment (tenant_id, starts_at, id);
-- What the no-show sweeper looks for.
create index appointment_open on appointment (tenant_id, ends_at) where status = 'booked';

grant select, insert, update on appointment to :service_role;
