-- What each service's database said had left for the trail. Kept as it came and never altered: the verifier looks for every
-- id in the trail, and for every number between the first and the last.
create table audit_facts_sent (
    id          uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    service     text not null,
    number      bigint not null,
    at          timestamptz not null,
    ids         uuid[] not null,
    received_at timestamptz not null default now()
);
-- The verifier follows each service's numbers. Not unique: a service that was restored from a backup counts on from there.
create index audit_facts_sent_in_order on audit_facts_sent (tenant_id, service, number);
alter table audit_facts_sent enable row level security;
alter table audit_facts_sent force row level security;
create policy audit_facts_sent_of_tenant on audit_facts_sent
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on audit_facts_sent to :service_role;
create trigger audit_facts_sent_kept before update or delete on audit_facts_sent
    for each row execute function audit_refuse();
create trigger audit_facts_sent_not_emptied before truncate on audit_facts_sent
    for each statement execute function audit_refuse();
