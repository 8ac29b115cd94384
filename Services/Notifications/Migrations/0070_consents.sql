-- Whether a patient stands by the consent to reminders, as clinical told it. Who never said anything is reminded: an
-- appointment was asked for.
create table consent_card (
    patient_id uuid primary key,
    tenant_id  uuid not null default current_setting('app.tenant')::uuid,
    is_given   boolean not null,
    at         timestamptz not null
);
alter table consent_card enable row level security;
alter table consent_card force row level security;
create policy consent_card_tenant on consent_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on consent_card to :service_role;
