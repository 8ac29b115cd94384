-- Clinical's visits: whose they are, so that only real ones are billed.
create table visit_card (
    visit_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null,
    location_id uuid not null
);

alter table visit_card enable row level security;
alter table visit_card force row level security;
create policy visit_card_of_tenant on visit_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on visit_card to :service_role;

-- Pharmacy's price list. The newest revision wins, in whatever order they come.
create table medicine_card (
    medicine_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    name text not null,
    strength text,
    unit_price bigint not null,
    currency char(3) not null,
    tax_basis_points int not null,
    revision int not null
);

alter table medicine_card enable row level security;
alter table medicine_card force row level security;
create policy medicine_card_of_tenant on medicine_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on medicine_card to :service_role;
