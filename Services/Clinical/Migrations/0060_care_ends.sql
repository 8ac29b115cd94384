-- What opens a chart to a clinician ends: until now one appointment, kept or not, opened it for ever.
alter table care_relation add column ends_at timestamptz not null default 'infinity';
-- A replica of before this migration, still running, says no end.
alter table care_relation alter column ends_at set default now() + interval '7 days';

-- Each appointment is a relation of its own, so that it moves and goes with the appointment. Its facts come in any
-- order, and a cancellation does not say where: a relation that ended before it began has no place.
alter table care_relation add column appointment_id uuid;
alter table care_relation add column revision int not null default 0;
alter table care_relation drop constraint care_relation_once;
alter table care_relation alter column location_id drop not null;
alter table care_relation add constraint care_relation_placed check (location_id is not null or ends_at = '-infinity');
alter table care_relation add constraint care_relation_revised check (revision = 0 or appointment_id is not null);
create unique index care_relation_once on care_relation (patient_id, who, location_id, kind) where appointment_id is null;
create unique index care_relation_of_appointment on care_relation (appointment_id) where appointment_id is not null;

-- What was there: a visit counts from the last one; of an appointment only its booking is known.
alter table care_relation no force row level security;
alter table visit no force row level security;
update care_relation c
set ends_at = case c.kind
    when 'visit' then coalesce((select max(v.started_at) from visit v
                                where v.patient_id = c.patient_id and v.practitioner_id = c.who), c.since)
                      + interval '730 days'
    when 'appointment' then c.since + interval '180 days'
    when 'referral' then c.since + interval '90 days'
    else c.since + interval '7 days' end;
alter table visit force row level security;
alter table care_relation force row level security;

grant update (who, location_id, ends_at, revision) on care_relation to :service_role;
