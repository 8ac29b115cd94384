-- Applications that may ask for tokens: partners' sites, gateway clients, machines. Registered by an administrator;
-- a client that is gone keeps its row, because sessions and the audit trail name it.
create table client (
    id                   uuid primary key,
    tenant_id            uuid not null default current_setting('app.tenant')::uuid,
    name                 text not null,
    -- HMAC of 256 random bits; null for a public client, which can keep no secret.
    secret_hash          bytea,
    redirect_uris        text[] not null,
    post_logout_uris     text[] not null,
    grant_types          text[] not null,
    scopes               text[] not null,
    -- What it may do in its own name (client credentials), and where.
    roles                text[] not null,
    location_id          uuid not null references location (id),
    asks_consent         boolean not null,
    is_pairwise          boolean not null,
    active               boolean not null default true,
    version              int not null default 1,
    created_at           timestamptz not null,
    -- Nobody could prove to be a machine without a secret.
    constraint client_machine_has_a_secret check (secret_hash is not null or not ('client_credentials' = any (grant_types))),
    -- A machine without a role could do nothing.
    constraint client_machine_has_a_role check (cardinality(roles) > 0 or not ('client_credentials' = any (grant_types))),
    -- A code has to be sent somewhere that was said before.
    constraint client_code_has_an_address check (cardinality(redirect_uris) > 0 or not ('authorization_code' = any (grant_types)))
);
-- The list of a tenant's clients is read in the order they were made.
create index client_of_tenant on client (tenant_id, id);
alter table client enable row level security;
alter table client force row level security;
create policy client_of_tenant on client
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on client to :service_role;

-- Whose client this is: a request names a client and no tenant, so this look-up is not under row-level security. It
-- holds two identifiers and nothing else.
create table client_tenant (
    client_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid
);
grant select, insert on client_tenant to :service_role;

-- What a tenant decides for itself about signing in. No row: the operator's defaults.
create table tenant_setting (
    tenant_id                uuid primary key default current_setting('app.tenant')::uuid,
    access_token_seconds     int not null,
    staff_session_seconds    int not null,
    patient_session_seconds  int not null,
    -- Origins that clients may be registered with; empty: any.
    redirect_origins         text[] not null,
    consent_required         boolean not null,
    grant_types              text[] not null,
    version                  int not null default 1,
    -- The longest that services remember a revocation for.
    constraint tenant_setting_access_bounded check (access_token_seconds between 60 and 900),
    constraint tenant_setting_staff_bounded check (staff_session_seconds between 900 and 86400),
    constraint tenant_setting_patient_bounded check (patient_session_seconds between 900 and 7776000)
);
alter table tenant_setting enable row level security;
alter table tenant_setting force row level security;
create policy tenant_setting_of_tenant on tenant_setting
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on tenant_setting to :service_role;
