-- Whose record a stored answer tells of: when that person is erased the answer is emptied, and its row stays, so that
-- the request is not done a second time.
alter table idempotency add column patient_id uuid;
create index idempotency_of_patient on idempotency (patient_id) where patient_id is not null;
grant update (answer) on idempotency to :service_role;
