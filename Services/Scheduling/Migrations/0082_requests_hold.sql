-- A request holds its slot and its patient's time exactly as a booking does.
drop index appointment_one_per_slot;
create unique index appointment_one_per_slot on appointment (slot_id)
    where status not in ('cancelled', 'declined', 'expired');
alter table appointment drop constraint appointment_patient_in_one_place;
alter table appointment add constraint appointment_patient_in_one_place
    exclude using gist (tenant_id with =, patient_id with =, tstzrange(starts_at, ends_at) with &&)
    where (status in ('requested', 'booked', 'arrived'));
-- What the expiry looks for.
create index appointment_unanswered on appointment (tenant_id, answer_by) where status = 'requested';
