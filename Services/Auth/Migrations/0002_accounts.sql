-- Who may act. Name and e-mail are sealed with the tenant's key; nothing personal is here in clear.
create table account (
    id            uuid primary key,
    tenant_id     uuid not null default current_setting('app.tenant')::uuid,
    name          bytea not null,
    email         bytea not null,
    -- Argon2id over HMAC with the pepper; parameters and salt are inside.
    password_hash text not null,
    roles         text[] not null,
    location_id   uuid not null references location (id),
    -- The record of a patient account, which clinical owns.
    patient_id    uuid,
    active        boolean not null default true,
    -- Tokens issued before are void: moved by deactivation and by a change of roles or site.
    valid_from    timestamptz not null,
    version       int not null default 1,
    created_at    timestamptz not null,
    -- An account without a role could sign in to nothing.
    constraint account_has_a_role check (cardinality(roles) > 0),
    -- A patient sees the own record only, so there must be one.
    constraint account_patient_has_a_record check (not ('patient' = any (roles)) or patient_id is not null)
);
-- The list of a tenant's accounts is read in the order they were made.
create index account_of_tenant on account (tenant_id, id);
alter table account enable row level security;
alter table account force row level security;
create policy account_of_tenant on account
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on account to :service_role;

-- Which account an e-mail address signs in to. A login names no tenant, so this look-up is not under row-level
-- security and an address is one account in all tenants; the index is a keyed hash, so it names nobody.
create table login (
    email_index bytea not null,
    account_id  uuid not null,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    constraint login_email_once primary key (email_index),
    constraint login_account_once unique (account_id)
);
grant select, insert on login to :service_role;
