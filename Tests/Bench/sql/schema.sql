-- What the bench itself keeps, beside the services' schemas: wishes, clear names for the peers' search, sites and doctors.
create schema if not exists bench;
create extension if not exists pg_trgm with schema public;
create sequence if not exists bench.at cache 1;

create or replace function bench.line(caller text, method text, path text, version text, body text) returns text
    language sql immutable as $$ select concat(caller, chr(9), method, chr(9), path, chr(9), version, chr(9), body) $$;

-- Ids that grow, as the services make them.
create or replace function bench.id() returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid $$;

-- The audit entry that a service leaves with a change.
create or replace function bench.entry(service text, action text, resource text, id uuid, role text, after json) returns json
    language sql immutable as $$
    select json_build_object('service', service, 'action', action, 'resource', resource, 'resourceId', id, 'role', role,
        'allowed', true, 'after', after) $$;

-- Names in clear: what a peer without encryption searches. Without row-level security too, because no operator that an
-- index on names serves is leakproof: enforced, it would make every search a scan.
create table if not exists bench.name (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    id uuid primary key, mrn bigint not null, name text not null, birth_date date, sex text, phone text, active boolean not null);
create index if not exists name_exact on bench.name (tenant_id, lower(name) text_pattern_ops);
create index if not exists name_similar on bench.name using gin (name gin_trgm_ops);
alter table bench.name disable row level security;

-- What somebody types at the desk, and whom they mean.
-- `first` and `last` are the hashes that the service makes of its two words.
create table if not exists bench.typed (kind text, n int, id uuid, text text, primary key (kind, n));
alter table bench.typed add column if not exists first bigint[], add column if not exists last bigint[];

-- A chain of sites: one site's arrivals wait for each other by design, so the bench spreads over many.
create table if not exists bench.site (n int primary key, id uuid not null default gen_random_uuid());
create table if not exists bench.doctor (n int primary key, account uuid not null default gen_random_uuid(),
    provider uuid not null default gen_random_uuid(), location uuid not null);

grant usage on schema bench to public;
grant select on all tables in schema bench to public;
grant usage on all sequences in schema bench to public;
