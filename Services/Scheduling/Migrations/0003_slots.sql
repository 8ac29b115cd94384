-- A stretch of a practitioner's time that one patient can have.
create table slot (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    provider_id uuid not null references provider,
    location_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- the day at that location, so that a day's list needs no arithmetic with zones
    local_date date not null,
    status text not null default 'free',
    block_reason text,
    version int not null default 1,
    constraint slot_status_known check (status in ('free', 'booked', 'blocked')),
    constraint slot_has_length check (starts_at < ends_at and ends_at <= starts_at + interval '12 hours'),
    -- A practitioner is never in two places at once, whatever the location.
    constraint slot_provider_in_one_place
        exclude using gist (tenant_id with =, provider_id with =, tstzrange(starts_at, ends_at) with &&)
) with (fillfactor = 80);  -- booking changes status and version only: room for those updates on the same page
alter table slot enable row level security;
alter table slot force row level security;
create policy slot_tenant on slot
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

-- One practitioner's day, in order. Status is not in it, so that booking does not touch any index.
create index slot_of_day on slot (tenant_id, provider_id, local_date, starts_at, id);
-- Everybody's time, in order.
create index slot_by_time on slot (tenant_id, starts_at, id);

grant select, insert, update on slot to :service_role;
