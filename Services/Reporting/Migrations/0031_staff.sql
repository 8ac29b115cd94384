-- The published name of a practitioner, as auth told it: what a patient is told of who opened the record.
create table staff_card (
    account_id uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    name       text,
    revision   int not null
);
alter table staff_card enable row level security;
alter table staff_card force row level security;
create policy staff_card_of_tenant on staff_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on staff_card to :service_role;
