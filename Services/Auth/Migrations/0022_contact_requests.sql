-- Somebody asked for a code by e-mail or phone: to sign up, or to choose a new password. Asked before a tenant or an
-- account is known, so it is not under row-level security; everything personal in it is sealed, whether an account is
-- there or not takes the same row, and the code itself is kept nowhere.
create table contact_request (
    id         uuid primary key,
    purpose    text not null,
    sealed     bytea not null,
    tries      int not null default 0,
    attempts   int not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    next_at    timestamptz not null,
    -- when the message left, or when it was decided that there is nobody to write to
    settled_at timestamptz,
    used_at    timestamptz,
    constraint contact_request_purpose_known check (purpose in ('sign_up', 'reset')),
    -- Five guesses of a million.
    constraint contact_request_tries check (tries between 0 and 5)
);
-- The sender asks for what has not left yet.
create index contact_request_unsent on contact_request (next_at) where settled_at is null;
create index contact_request_old on contact_request (expires_at);
grant select, insert, update, delete on contact_request to :service_role;
