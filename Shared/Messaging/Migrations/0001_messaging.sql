-- What every service needs to announce facts, to react to them once, and to answer a repeated request alike.
-- Runs first in each service's schema.

-- Facts on their way to the broker. Rows commit with the change that caused them; the relay publishes and marks
-- them. Ids, times, amounts and reasons only. Not under row-level security: the relay serves all tenants.
create table outbox (
    id           uuid primary key,
    seq          bigint generated always as identity,
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    type         text not null constraint outbox_type_named check (type ~ '^[a-z]+(\.[a-z][a-z0-9_]*){2,3}\.v[0-9]+$'),
    subject      text not null,
    revision     int not null constraint outbox_revision_counts check (revision >= 0),
    actor        uuid,
    traceparent  text not null,
    -- json, not jsonb: what leaves is byte for byte what the event wrote, and the golden files hold.
    data         json not null,
    occurred_at  timestamptz not null,
    published_at timestamptz
);
-- A change of an aggregate announces one fact of a kind once. Revision 0 is a fact about nothing versioned,
-- such as an audit entry: those may repeat.
create unique index outbox_fact_once on outbox (tenant_id, type, subject, revision) where revision > 0;
-- The relay's only question: what has not left yet, in order?
create index outbox_unpublished on outbox (seq) where published_at is null;
-- Pruning and replay ask by time.
create index outbox_published on outbox (published_at) where published_at is not null;
grant select, insert, delete on outbox to :service_role;
grant update (published_at) on outbox to :service_role;

-- What each reaction has already handled: the row commits with the effect, so a redelivery has none.
create table inbox (
    reaction    text not null,
    event_id    uuid not null,
    received_at timestamptz not null default now(),
    constraint inbox_handled_once primary key (reaction, event_id)
);
-- Pruning asks by age.
create index inbox_received on inbox (received_at);
grant select, insert, delete on inbox to :service_role;

-- The newest revision of each subject that a reaction has seen, for reactions that must ignore the past.
create table inbox_revision (
    reaction  text not null,
    tenant_id uuid not null,
    subject   text not null,
    revision  int not null,
    constraint inbox_revision_newest primary key (reaction, tenant_id, subject)
);
grant select, insert, update on inbox_revision to :service_role;

-- Answers to requests that carried an Idempotency-Key, sealed with the master key.
create table idempotency (
    tenant_id    uuid not null default current_setting('app.tenant')::uuid,
    account_id   uuid not null,
    key          text not null constraint idempotency_key_short check (length(key) between 1 and 255),
    request_hash bytea not null,
    answer       bytea not null,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null default now() + interval '48 hours',
    constraint idempotency_key_once primary key (tenant_id, account_id, key)
);
-- The sweep asks by age.
create index idempotency_expired on idempotency (expires_at);
alter table idempotency enable row level security;
alter table idempotency force row level security;
create policy idempotency_tenant on idempotency
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, delete on idempotency to :service_role;

-- Tokens of this account issued before `valid_from` are void. Asked before a tenant is known, so it is not under
-- row-level security; it says nothing else. Rows are useless once the longest token has expired.
create table revoked_account (
    account_id uuid primary key,
    tenant_id  uuid not null,
    valid_from timestamptz not null,
    expires_at timestamptz not null default now() + interval '1 day'
);
grant select, insert, update, delete on revoked_account to :service_role;
