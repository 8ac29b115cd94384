-- Pharmacy's movements as they were announced, for reports over months.
create table stock_movement (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    batch_id uuid not null,
    medicine_id uuid not null,
    kind text not null,
    delta bigint not null,
    on_hand bigint not null,
    actor_id uuid,
    at timestamptz not null,
    local_date date not null
);

-- Newest first: identifiers are UUIDv7.
create index stock_movement_newest on stock_movement (tenant_id, id desc);
create index stock_movement_of_medicine on stock_movement (tenant_id, medicine_id, id desc);

alter table stock_movement enable row level security;
alter table stock_movement force row level security;
create policy stock_movement_of_tenant on stock_movement
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on stock_movement to :service_role;
