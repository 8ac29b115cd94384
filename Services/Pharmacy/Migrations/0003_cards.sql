-- Clinical's prescriptions as the counter needs them. The row is what concurrent dispensings wait for.
create table prescription_card (
    prescription_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null,
    -- The last day on which it may be dispensed.
    valid_until date not null,
    status text not null default 'active',
    -- How often something was handed out: the revision of what we announce about it.
    dispensings int not null default 0
);

alter table prescription_card enable row level security;
alter table prescription_card force row level security;
create policy prescription_card_of_tenant on prescription_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on prescription_card to :service_role;

-- What was prescribed and how much of it has left the shelf.
create table prescription_item_card (
    item_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    prescription_id uuid not null references prescription_card (prescription_id),
    medicine_id uuid not null,
    position int not null,
    prescribed bigint not null,
    dispensed bigint not null default 0,
    constraint prescription_item_card_prescribed_positive check (prescribed > 0),
    -- Whatever races: never more than was prescribed.
    constraint prescription_item_card_never_exceeded check (dispensed between 0 and prescribed)
);

create index prescription_item_card_of_prescription on prescription_item_card (prescription_id, position);

alter table prescription_item_card enable row level security;
alter table prescription_item_card force row level security;
create policy prescription_item_card_of_tenant on prescription_item_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on prescription_item_card to :service_role;

-- Billing's word on whether a prescription is paid for.
create table settlement_card (
    prescription_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    invoice_id uuid,
    paid boolean not null
);

-- A refund names the invoice only.
create index settlement_card_of_invoice on settlement_card (tenant_id, invoice_id);

alter table settlement_card enable row level security;
alter table settlement_card force row level security;
create policy settlement_card_of_tenant on settlement_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on settlement_card to :service_role;
