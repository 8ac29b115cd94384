-- Whose record an entry touches and for which purpose (HL7 PurposeOfUse): patients may ask who opened theirs.
alter table audit_entry add column patient_id uuid, add column purpose text;
-- A patient's own question, newest first.
create index audit_entry_of_patient on audit_entry (tenant_id, patient_id, at desc, id desc) where patient_id is not null;
