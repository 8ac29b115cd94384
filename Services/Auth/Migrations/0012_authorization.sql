-- A browser in which somebody signed in: further clients get their codes without asking for the password again.
create table browser_session (
    id         uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    -- SHA-256 of the cookie's secret.
    hash       bytea not null,
    account_id uuid not null references account (id),
    -- When and by what means (RFC 8176) the person was last asked.
    shown_at   timestamptz not null,
    shown      text[] not null,
    expires_at timestamptz not null,
    ended_at   timestamptz,
    constraint browser_session_once unique (tenant_id, hash)
);
-- The sweep asks for what is over.
create index browser_session_over on browser_session (tenant_id, expires_at);
alter table browser_session enable row level security;
alter table browser_session force row level security;
create policy browser_session_of_tenant on browser_session
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on browser_session to :service_role;

-- Somebody on the way to a code: what was asked for, and what has been shown so far. What is still to be shown
-- follows from it.
create table sign_in_attempt (
    id           uuid primary key,
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    client_id    uuid not null references client (id),
    -- SHA-256 of the cookie that binds it to one browser.
    browser      bytea not null,
    redirect_uri text not null,
    scopes       text[] not null,
    services     text[] not null,
    state        text,
    nonce        text,
    challenge    text not null,
    account_id   uuid references account (id),
    shown        text[] not null default '{}',
    shown_at     timestamptz,
    -- Asks for consent whatever was agreed to before (prompt=consent).
    asks_anew    boolean not null,
    agreed       boolean not null default false,
    -- The session that the person was signed in with already.
    browser_session_id uuid references browser_session (id) on delete cascade,
    expires_at   timestamptz not null
);
-- The sweep asks for what is over.
create index sign_in_attempt_over on sign_in_attempt (tenant_id, expires_at);
alter table sign_in_attempt enable row level security;
alter table sign_in_attempt force row level security;
create policy sign_in_attempt_of_tenant on sign_in_attempt
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on sign_in_attempt to :service_role;

-- A code for one client, good once. Kept after its use, so that its coming back is noticed.
create table authorization_code (
    hash         bytea not null,
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    client_id    uuid not null references client (id),
    account_id   uuid not null references account (id),
    browser_session_id uuid not null references browser_session (id) on delete cascade,
    -- The session that it begins, or began.
    session_id   uuid not null,
    redirect_uri text not null,
    scopes       text[] not null,
    services     text[] not null,
    nonce        text,
    challenge    text not null,
    expires_at   timestamptz not null,
    redeemed_at  timestamptz,
    constraint authorization_code_once primary key (tenant_id, hash)
);
-- The sweep asks for what is over.
create index authorization_code_over on authorization_code (tenant_id, expires_at);
alter table authorization_code enable row level security;
alter table authorization_code force row level security;
create policy authorization_code_of_tenant on authorization_code
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update, delete on authorization_code to :service_role;

-- What a person agreed that a client may do.
create table client_consent (
    account_id uuid not null references account (id),
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    client_id  uuid not null references client (id),
    scopes     text[] not null,
    agreed_at  timestamptz not null,
    constraint client_consent_once primary key (account_id, client_id)
);
alter table client_consent enable row level security;
alter table client_consent force row level security;
create policy client_consent_of_tenant on client_consent
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on client_consent to :service_role;

-- A session that a client holds: for which scopes and services, and begun in which browser. First-party ones have none.
alter table session add column client_id uuid references client (id);
alter table session add column scopes text[] not null default '{}';
alter table session add column services text[] not null default '{}';
alter table session add column browser_session_id uuid;
-- A client or a browser that is out takes its sessions along.
create index session_of_client on session (client_id) where ended_at is null and client_id is not null;
create index session_of_browser on session (browser_session_id) where ended_at is null and browser_session_id is not null;
