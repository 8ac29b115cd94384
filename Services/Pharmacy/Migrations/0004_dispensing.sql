-- One handing over at the counter: never changed afterwards.
create table dispensing (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    prescription_id uuid not null references prescription_card (prescription_id),
    patient_id uuid not null,
    -- Whether nothing of the prescription remained.
    complete boolean not null,
    dispensed_by uuid not null,
    at timestamptz not null,
    local_date date not null
);

create index dispensing_of_prescription on dispensing (tenant_id, prescription_id, id);

alter table dispensing enable row level security;
alter table dispensing force row level security;
create policy dispensing_of_tenant on dispensing
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on dispensing to :service_role;

-- What was taken from which batch, with lot and expiry as they were printed on it.
create table dispensing_line (
    dispensing_id uuid not null references dispensing (id),
    position int not null,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    prescription_item_id uuid not null references prescription_item_card (item_id),
    medicine_id uuid not null references medicine (id),
    batch_id uuid not null references batch (id),
    lot_number text not null,
    expiry_date date not null,
    quantity bigint not null,
    primary key (dispensing_id, position),
    constraint dispensing_line_quantity_positive check (quantity > 0)
);

alter table dispensing_line enable row level security;
alter table dispensing_line force row level security;
create policy dispensing_line_of_tenant on dispensing_line
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on dispensing_line to :service_role;
