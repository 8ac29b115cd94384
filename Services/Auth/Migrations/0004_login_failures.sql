-- Failed sign-ins, counted by keyed hashes of "address + client" and of the client alone: it says neither who nor
-- where. Asked before a tenant is known, so it is not under row-level security.
create table login_failure (
    key      bytea primary key,
    failures int not null,
    first_at timestamptz not null,
    last_at  timestamptz not null,
    constraint login_failure_counts check (failures between 0 and 1000000)
);
-- The sweep asks by age.
create index login_failure_old on login_failure (last_at);
grant select, insert, update, delete on login_failure to :service_role;
