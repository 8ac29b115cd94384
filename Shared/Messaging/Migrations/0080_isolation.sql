-- How often a message that is handled alone was begun and not ended: what ends the process each time is parked. The
-- broker's count of deliveries cannot tell that from a connection that broke while the database was away.
create table isolation (
    reaction text not null,
    event_id uuid not null,
    starts   int not null default 1,
    begun_at timestamptz not null default now(),
    constraint isolation_counted_once primary key (reaction, event_id)
);
grant select, insert, update, delete on isolation to :service_role;
