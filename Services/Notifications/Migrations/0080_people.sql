-- A notice may be for one person, or for one practitioner: what happens to their time. Whoever is that practitioner is looked
-- up when they read, so that nothing is lost while it is not known.
alter table notice add column account_id uuid, add column provider_id uuid;
alter table notice drop constraint notice_has_an_audience;
alter table notice add constraint notice_has_an_audience
    check (num_nonnulls(role, patient_id, account_id, provider_id) = 1) not valid;

-- Which practitioner an account is: told by scheduling, or asked for once.
create table provider_card (
    account_id  uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    provider_id uuid not null
);
alter table provider_card enable row level security;
alter table provider_card force row level security;
create policy provider_card_tenant on provider_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on provider_card to :service_role;
