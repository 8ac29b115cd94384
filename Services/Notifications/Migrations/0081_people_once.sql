-- One notice per fact and audience still, now that there are more audiences; and a person's list, newest first.
alter table notice drop constraint notice_one_per_fact;
alter table notice add constraint notice_one_per_fact
    unique nulls not distinct (tenant_id, event_id, role, patient_id, account_id, provider_id);
create index notice_by_account on notice (tenant_id, account_id, at desc, id desc) where account_id is not null;
create index notice_by_provider on notice (tenant_id, provider_id, at desc, id desc) where provider_id is not null;
