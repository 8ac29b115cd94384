-- What the pharmacy sells: the price list that prescriptions and invoices refer to.
create table medicine (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    name text not null,
    generic_name text,
    form text not null,
    strength text,
    atc text,
    -- Of one dispensing unit (a tablet, a millilitre), in minor units, before tax.
    unit_price bigint not null,
    currency char(3) not null,
    -- Hundredths of a percent: 18 % is 1800.
    tax_basis_points int not null default 0,
    -- Fewer usable units than this is low stock.
    reorder_level bigint not null default 0,
    pack_size int,
    active boolean not null default true,
    version int not null default 1,
    created_at timestamptz not null,
    -- The same bound as Money.limit: sums of many stay far from overflow.
    constraint medicine_price_bounded check (unit_price between 0 and 1000000000000),
    constraint medicine_tax_is_a_percentage check (tax_basis_points between 0 and 10000),
    constraint medicine_reorder_level_bounded check (reorder_level between 0 and 1000000000),
    constraint medicine_pack_size_positive check (pack_size > 0)
);

-- The catalogue is read in the order of its names.
create index medicine_by_name on medicine (tenant_id, lower(name), id);

alter table medicine enable row level security;
alter table medicine force row level security;
create policy medicine_of_tenant on medicine
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on medicine to :service_role;
