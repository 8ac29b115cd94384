-- One reminder per appointment and rule, so that nobody is reminded twice however often events arrive.
create table reminder (
    tenant_id      uuid not null default current_setting('app.tenant')::uuid,
    id             uuid primary key,
    appointment_id uuid not null,
    patient_id     uuid not null,
    -- which rule made it, e.g. 24h
    rule           text not null,
    starts_at      timestamptz not null,
    due_at         timestamptz not null,
    status         text not null default 'pending',
    version        integer not null default 1,
    constraint reminder_one_per_rule unique (tenant_id, appointment_id, rule),
    constraint reminder_status check (status in ('pending', 'announced', 'void')),
    constraint reminder_before_start check (due_at < starts_at)
);
-- the clock asks for what is due
create index reminder_due on reminder (tenant_id, due_at) where status = 'pending';

-- Which tenants there are: the clock visits each. It says nothing else, so every tenant's clock may read it.
create table tenant_card (
    tenant_id uuid primary key
);

alter table reminder enable row level security;
alter table reminder force row level security;
create policy reminder_tenant on reminder
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on reminder to :service_role;
grant select, insert on tenant_card to :service_role;
