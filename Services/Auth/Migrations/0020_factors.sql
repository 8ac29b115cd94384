-- When the person behind a session last proved who they are, and by how much. A step-up moves it, refreshing does not.
alter table session add column authenticated_at timestamptz;
alter table session add column assurance text not null default 'aal1'
    constraint session_assurance_known check (assurance in ('enrolling', 'aal1', 'aal2'));

-- Whether the password is long enough to be somebody's only factor; then the last second factor may go.
alter table account add column password_stands_alone boolean not null default true;

-- The secret of an authenticator app (RFC 6238), sealed with the tenant's key.
create table totp (
    account_id   uuid primary key references account (id),
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    secret       bytea not null,
    -- null until a first code has shown that the app has the secret
    confirmed_at timestamptz,
    -- the 30-second step of the last code taken: an older or equal one is a replay
    last_step    bigint not null default 0,
    -- wrong codes since the last right one
    failures     int not null default 0,
    created_at   timestamptz not null,
    constraint totp_failures_counted check (failures between 0 and 1000000)
);
alter table totp enable row level security;
alter table totp force row level security;
create policy totp_of_tenant on totp
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on totp to :service_role;

-- Codes on paper for the day the phone is lost: each opens once. Only keyed hashes are kept.
create table recovery_code (
    account_id uuid not null references account (id),
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    hash       bytea not null,
    used_at    timestamptz,
    constraint recovery_code_once primary key (account_id, hash)
);
alter table recovery_code enable row level security;
alter table recovery_code force row level security;
create policy recovery_code_of_tenant on recovery_code
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on recovery_code to :service_role;

-- What a tenant decided about signing in. No row: what the operator's configuration says.
create table security_policy (
    tenant_id uuid primary key default current_setting('app.tenant')::uuid,
    staff_mfa text not null,
    version   int not null default 1,
    constraint security_policy_mfa_known check (staff_mfa in ('required', 'optional'))
);
alter table security_policy enable row level security;
alter table security_policy force row level security;
create policy security_policy_of_tenant on security_policy
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on security_policy to :service_role;
