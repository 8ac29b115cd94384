-- What somebody asked about the record of a person (GDPR 15 to 18): to be told, to correct, to erase, to restrict. `words`
-- and `answer` are sealed under the patient's key and go with it; that a request was made and answered stays.
create table privacy_request (
    id          uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    patient_id  uuid not null references patient (id),
    kind        text not null,
    words       bytea not null,
    filed_by    uuid not null,
    filed_at    timestamptz not null,
    -- The last day on which the law lets it be answered.
    due_on      date not null,
    outcome     text,
    answer      bytea,
    answered_by uuid,
    answered_at timestamptz,
    -- When the administrators were told that its day comes near.
    reminded_at timestamptz,
    constraint privacy_request_kind_known check (kind in ('access', 'correction', 'erasure', 'restriction')),
    constraint privacy_request_outcome_known check (outcome in ('done', 'refused')),
    constraint privacy_request_answer_whole check (num_nonnulls(outcome, answered_by, answered_at) in (0, 3)),
    constraint privacy_request_answer_after check (outcome is not null or answer is null),
    -- Whoever is refused is told why.
    constraint privacy_request_refusal_explained check (outcome is distinct from 'refused' or answer is not null)
);
-- One of a kind waits at a time: asking again does not begin another month.
create unique index privacy_request_one_open on privacy_request (patient_id, kind) where outcome is null;
-- The administrators' list and the clock ask what is due first.
create index privacy_request_due on privacy_request (tenant_id, due_on, id) where outcome is null;
-- A person's own list.
create index privacy_request_of_patient on privacy_request (patient_id, id);
alter table privacy_request enable row level security;
alter table privacy_request force row level security;
create policy privacy_request_tenant on privacy_request
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on privacy_request to :service_role;
grant update (outcome, answer, answered_by, answered_at, reminded_at) on privacy_request to :service_role;

-- An answer is given once; the month is not begun anew.
create function privacy_request_is_answered() returns trigger language plpgsql as $$
begin
    raise exception 'an answered request does not change' using errcode = 'check_violation', constraint = 'privacy_request_answered_once';
end $$;
create trigger privacy_request_answered_once before update on privacy_request
    for each row when (old.outcome is not null) execute function privacy_request_is_answered();
