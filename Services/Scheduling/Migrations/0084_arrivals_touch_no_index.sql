-- A column in the condition of one index makes every change of it write to all indexes, the constraint's GiST tree too: most of what
-- an arrival cost. These three change only where somebody joins or leaves an index; who arrives does neither (a heap-only update).
alter table appointment
    add column holds_slot boolean not null generated always as (status not in ('cancelled', 'declined', 'expired')) stored,
    add column holds_time boolean not null generated always as (status in ('requested', 'booked', 'arrived')) stored,
    add column is_asked boolean not null generated always as (status = 'requested') stored;
drop index appointment_one_per_slot;
create unique index appointment_one_per_slot on appointment (slot_id) where holds_slot;
alter table appointment drop constraint appointment_patient_in_one_place;
alter table appointment add constraint appointment_patient_in_one_place
    exclude using gist (tenant_id with =, patient_id with =, tstzrange(starts_at, ends_at) with &&) where (holds_time);
drop index appointment_open;
create index appointment_open on appointment (tenant_id, ends_at) where holds_time;
drop index appointment_unanswered;
create index appointment_unanswered on appointment (tenant_id, answer_by) where is_asked;
-- Room for that update on the same page.
alter table appointment set (fillfactor = 85);
