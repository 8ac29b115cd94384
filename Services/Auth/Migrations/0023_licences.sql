-- A doctor's licence to practise, and whether an administrator has seen it: before that nobody can book them.
create table licence (
    account_id   uuid primary key references account (id),
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    -- number, authority and the reason of a refusal, sealed with the tenant's key
    details      bytea not null,
    valid_until  date not null,
    status       text not null,
    submitted_at timestamptz,
    decided_at   timestamptz,
    decided_by   uuid,
    version      int not null default 1,
    constraint licence_status_known check (status in ('draft', 'submitted', 'verified', 'rejected')),
    -- Nobody verifies themselves.
    constraint licence_decided_by_another check (decided_by is null or decided_by <> account_id),
    constraint licence_decision_has_a_judge check ((status in ('verified', 'rejected')) = (decided_by is not null))
);
alter table licence enable row level security;
alter table licence force row level security;
create policy licence_of_tenant on licence
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on licence to :service_role;

-- What was shown for it: pages, sealed with the tenant's key. What was decided on is never changed.
create table licence_document (
    id          uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    account_id  uuid not null references account (id),
    kind        text not null,
    media_type  text not null,
    size        int not null,
    content     bytea not null,
    uploaded_at timestamptz not null,
    constraint licence_document_kind_known check (kind in ('licence', 'identity')),
    constraint licence_document_size check (size between 1 and 524288)
);
create index licence_document_of_account on licence_document (tenant_id, account_id, id);
alter table licence_document enable row level security;
alter table licence_document force row level security;
create policy licence_document_of_tenant on licence_document
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on licence_document to :service_role;

-- Who may act for which patient: a parent for a child, a daughter for her father. It says ids only.
create table proxy_grant (
    id         uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    account_id uuid not null references account (id),
    patient_id uuid not null,
    relation   text not null,
    -- how it was shown at the desk; or the patient said so
    proof      text not null,
    valid_from date not null,
    valid_until date,
    granted_by uuid not null,
    granted_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by uuid,
    constraint proxy_grant_relation_known check (relation in ('parent', 'guardian', 'spouse', 'child', 'carer', 'other')),
    constraint proxy_grant_proof_known
        check (proof in ('patient_consent', 'birth_certificate', 'court_order', 'power_of_attorney', 'identity_seen')),
    constraint proxy_grant_in_order check (valid_until is null or valid_until >= valid_from),
    -- Nobody gives themselves somebody else's record.
    constraint proxy_grant_by_another check (granted_by <> account_id),
    constraint proxy_grant_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);
-- One living grant for a pair of people.
create unique index proxy_grant_one_living on proxy_grant (tenant_id, account_id, patient_id) where revoked_at is null;
create index proxy_grant_of_patient on proxy_grant (tenant_id, patient_id) where revoked_at is null;
alter table proxy_grant enable row level security;
alter table proxy_grant force row level security;
create policy proxy_grant_of_tenant on proxy_grant
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on proxy_grant to :service_role;
