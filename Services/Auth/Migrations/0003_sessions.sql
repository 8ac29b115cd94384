-- A signing-in and everything refreshed from it. It ends once: by its time, by signing out, by a reused token, or
-- because the account changed.
create table session (
    id         uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    account_id uuid not null references account (id),
    started_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz,
    end_reason text,
    constraint session_ends_after_it_starts check (expires_at > started_at),
    constraint session_end_has_a_reason check ((ended_at is null) = (end_reason is null)),
    constraint session_end_reason_known
        check (end_reason in ('signed_out', 'token_reused', 'deactivated', 'roles_changed', 'password_changed'))
);
-- Deactivation ends all live sessions of one account.
create index session_live on session (tenant_id, account_id) where ended_at is null;
-- The sweep asks for what is long over.
create index session_over on session (tenant_id, expires_at);
alter table session enable row level security;
alter table session force row level security;
create policy session_of_tenant on session
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on session to :service_role;

-- Every refresh token of a session, as a hash: one is live, the others are kept to notice when one comes back.
create table refresh_token (
    hash       bytea not null,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    session_id uuid not null references session (id) on delete cascade,
    issued_at  timestamptz not null,
    rotated_at timestamptz,
    constraint refresh_token_once primary key (tenant_id, hash)
);
-- Rotation cannot leave two live tokens in a family, whatever races.
create unique index refresh_token_one_live on refresh_token (tenant_id, session_id) where rotated_at is null;
-- Deleting a session takes its tokens along.
create index refresh_token_of_session on refresh_token (session_id);
alter table refresh_token enable row level security;
alter table refresh_token force row level security;
create policy refresh_token_of_tenant on refresh_token
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on refresh_token to :service_role;
