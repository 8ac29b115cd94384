-- Tokens of this session issued before `valid_from` are void: somebody signed out, or a refresh token came back. Like
-- `revoked_account` it is asked before a tenant is known and says nothing else.
create table revoked_session (
    session_id uuid primary key,
    tenant_id  uuid not null,
    valid_from timestamptz not null,
    expires_at timestamptz not null default now() + interval '1 day'
);
-- The sweep asks by age.
create index revoked_session_expired on revoked_session (expires_at);
grant select, insert, update, delete on revoked_session to :service_role;
