-- Passkeys (WebAuthn): a public key that a device proves it has the private half of. Nothing here is secret.
create table passkey (
    id            uuid primary key,
    tenant_id     uuid not null default current_setting('app.tenant')::uuid,
    account_id    uuid not null references account (id),
    credential_id bytea not null,
    -- COSE algorithm: -7 is ES256, -8 is EdDSA
    algorithm     int not null,
    public_key    bytea not null,
    -- what the authenticator counted last; 0 from those that do not count
    sign_count    bigint not null,
    created_at    timestamptz not null,
    last_used_at  timestamptz,
    -- An authenticator's credential belongs to one account.
    constraint passkey_credential_once unique (tenant_id, credential_id),
    constraint passkey_algorithm_known check (algorithm in (-7, -8)),
    constraint passkey_sizes check (octet_length(credential_id) between 1 and 1023 and octet_length(public_key) <= 65)
);
create index passkey_of_account on passkey (tenant_id, account_id);
alter table passkey enable row level security;
alter table passkey force row level security;
create policy passkey_of_tenant on passkey
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on passkey to :service_role;

-- Challenges that were answered. They are signed by us and live five minutes, so only answered ones take a row; before
-- a tenant is known, so not under row-level security. It holds random bytes.
create table spent_challenge (
    hash       bytea primary key,
    expires_at timestamptz not null
);
create index spent_challenge_old on spent_challenge (expires_at);
grant select, insert, delete on spent_challenge to :service_role;
