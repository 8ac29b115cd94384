-- Until when a doctor may see patients: the last day of the licence that auth's administrator has verified. Who is not here
-- is asked for at scheduling, which knows those of before.
create table licence_card (
    account_id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    licensed_until date,
    revision int not null
);
alter table licence_card enable row level security;
alter table licence_card force row level security;
create policy licence_card_tenant on licence_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on licence_card to :service_role;
