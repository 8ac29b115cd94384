-- What a visit costs. `due` follows from what was received: nobody can write it. What went back was credited too,
-- so it is not due again: total = (received - refunded) + refunded + due.
create table invoice (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    number text not null,
    visit_id uuid not null,
    patient_id uuid not null,
    location_id uuid not null,
    mode text not null,
    status text not null default 'DRAFT',
    currency char(3) not null,
    -- What was agreed: a rate or an amount, never both.
    discount_basis_points int,
    discount_amount bigint,
    subtotal bigint not null,
    discount bigint not null,
    tax bigint not null,
    total bigint not null,
    -- Gross: what came in, whatever went back later.
    received bigint not null default 0,
    -- Credited by credit notes and given back.
    refunded bigint not null default 0,
    due bigint not null generated always as (case status when 'CANCELLED' then 0 else total - received end) stored,
    local_date date not null,
    created_by uuid not null,
    created_at timestamptz not null,
    issued_at timestamptz,
    cancelled_reason text,
    version int not null default 1,
    constraint invoice_number_unique unique (tenant_id, number),
    constraint invoice_mode_known check (mode in ('AUTO', 'MANUAL')),
    constraint invoice_status_known check (status in ('DRAFT', 'ISSUED', 'PAID', 'CANCELLED')),
    constraint invoice_one_discount check (discount_basis_points is null or discount_amount is null),
    constraint invoice_discount_is_a_percentage check (discount_basis_points between 0 and 10000),
    constraint invoice_amounts_bounded check (
        subtotal between 0 and 1000000000000 and discount between 0 and subtotal
        and tax between 0 and 1000000000000 and total between 0 and 1000000000000),
    constraint invoice_total_adds_up check (total = subtotal - discount + tax),
    -- Never more than is owed, never more back than came in.
    constraint invoice_never_overpaid check (received between 0 and total),
    constraint invoice_never_over_refunded check (refunded between 0 and received),
    -- PAID says exactly that nothing is due.
    constraint invoice_paid_when_settled check (
        (status = 'PAID' and received = total) or (status = 'ISSUED' and received < total)
        or (status = 'CANCELLED' and received = refunded) or (status = 'DRAFT' and received = 0)),
    constraint invoice_issued_when_owed check (status in ('DRAFT', 'CANCELLED') or issued_at is not null)
);

-- One prescription run is billed once: a second AUTO invoice of a visit needs the first one cancelled.
create unique index invoice_one_auto_per_visit on invoice (tenant_id, visit_id)
    where mode = 'AUTO' and status <> 'CANCELLED';
-- Lists are newest first; identifiers are UUIDv7.
create index invoice_newest on invoice (tenant_id, id desc);
create index invoice_of_visit on invoice (tenant_id, visit_id, id desc);
create index invoice_of_patient on invoice (tenant_id, patient_id, id desc);

alter table invoice enable row level security;
alter table invoice force row level security;
create policy invoice_of_tenant on invoice
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on invoice to :service_role;

-- What is owed for what. A line that came from a prescription names it.
create table invoice_line (
    invoice_id uuid not null references invoice (id),
    position int not null,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    description text not null,
    medicine_id uuid,
    prescription_item_id uuid,
    quantity bigint not null,
    unit_price bigint not null,
    tax_basis_points int not null,
    subtotal bigint not null,
    discount bigint not null,
    tax bigint not null,
    total bigint not null,
    primary key (invoice_id, position),
    constraint invoice_line_quantity_positive check (quantity between 1 and 100000000),
    constraint invoice_line_price_bounded check (unit_price between 0 and 1000000000000),
    constraint invoice_line_tax_is_a_percentage check (tax_basis_points between 0 and 10000),
    constraint invoice_line_adds_up check (
        subtotal = quantity * unit_price and discount between 0 and subtotal and tax >= 0
        and total = subtotal - discount + tax)
);

alter table invoice_line enable row level security;
alter table invoice_line force row level security;
create policy invoice_line_of_tenant on invoice_line
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, delete on invoice_line to :service_role;

-- Which prescriptions an invoice covers: what the pharmacy asks about.
create table invoice_prescription (
    invoice_id uuid not null references invoice (id),
    prescription_id uuid not null,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    primary key (invoice_id, prescription_id)
);

create index invoice_prescription_covered on invoice_prescription (tenant_id, prescription_id);

alter table invoice_prescription enable row level security;
alter table invoice_prescription force row level security;
create policy invoice_prescription_of_tenant on invoice_prescription
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on invoice_prescription to :service_role;

-- The next number of a series and year. The row is locked until commit, so numbers have no gaps.
create table invoice_counter (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    series text not null,
    year int not null,
    last int not null,
    primary key (tenant_id, series, year)
);

alter table invoice_counter enable row level security;
alter table invoice_counter force row level security;
create policy invoice_counter_of_tenant on invoice_counter
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on invoice_counter to :service_role;
