-- Patients' keys leave the patients' rows for a table of their own: a backup of the data must not carry what opens it.
-- The rows belong to all tenants, so the owner's own row-level security is put aside for this transaction.
alter table patient no force row level security;
alter table data_key no force row level security;
alter table tenant_key no force row level security;
insert into data_key (person_id, tenant_id, wrapped) select id, tenant_id, data_key from patient;
insert into keyed_tenant (tenant_id) select tenant_id from tenant_key on conflict do nothing;
alter table patient force row level security;
alter table data_key force row level security;
alter table tenant_key force row level security;
alter table patient drop column data_key;

-- A new master key wraps the tenant's key again.
grant update (wrapped) on tenant_key to :service_role;

-- When the record was erased: number and id stay as a gravestone, so that invoices still point somewhere.
alter table patient add column erased_at timestamptz;
-- Somebody with authority said that nothing of this person may go (a court, a complaint): ids and times only.
alter table patient add column held_by uuid;
alter table patient add column held_at timestamptz;
alter table patient add constraint patient_hold_whole check ((held_by is null) = (held_at is null));

-- How many years a tenant must keep a record after the last visit. No row: the default of the code (10 years).
create table retention (
    tenant_id uuid primary key default current_setting('app.tenant')::uuid,
    years int not null,
    set_by uuid not null,
    set_at timestamptz not null,
    constraint retention_years check (years between 0 and 100)
);
alter table retention enable row level security;
alter table retention force row level security;
create policy retention_tenant on retention
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on retention to :service_role;

-- Who asked for whose erasure, and from which day the law lets it happen.
create table erasure (
    patient_id uuid primary key references patient (id),
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    requested_by uuid not null,
    requested_at timestamptz not null,
    ground text not null,
    not_before date not null,
    done_at timestamptz,
    constraint erasure_ground check (ground in ('patient_request', 'consent_withdrawn', 'registered_in_error'))
);
-- The sweep asks what is due.
create index erasure_due on erasure (tenant_id, not_before) where done_at is null;
alter table erasure enable row level security;
alter table erasure force row level security;
create policy erasure_tenant on erasure
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on erasure to :service_role;

-- What a person agreed to, in which version of the words, for which purpose. Never changed but by being withdrawn.
create table consent (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    patient_id uuid not null references patient (id),
    purpose text not null,
    document text not null,
    document_version text not null,
    given_by uuid not null,
    given_at timestamptz not null,
    withdrawn_by uuid,
    withdrawn_at timestamptz,
    constraint consent_purpose check (purpose in ('treatment', 'billing', 'reminders', 'teleconsultation', 'research', 'marketing', 'sharing')),
    constraint consent_withdrawn_whole check ((withdrawn_by is null) = (withdrawn_at is null))
);
create index consent_of_patient on consent (patient_id, id);
-- One word at a time on one purpose.
create unique index consent_one_standing on consent (patient_id, purpose) where withdrawn_at is null;
alter table consent enable row level security;
alter table consent force row level security;
create policy consent_tenant on consent
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on consent to :service_role;
grant update (withdrawn_by, withdrawn_at) on consent to :service_role;

-- Codes and measured values are in clear, so that they can be counted; they go when the person's key goes. A signed
-- visit still does not change: only this function, which runs as the tables' owner, may take its parts away, and
-- only of a patient who is marked as erased.
create or replace function visit_part_is_final() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        return old;
    end if;
    if exists (
        select from visit_snapshot s
        where s.visit_id = case tg_op when 'DELETE' then old.visit_id else new.visit_id end
    ) then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
create function erase_codes(person uuid) returns void language plpgsql security definer set search_path from current as $$
begin
    if not exists (select from patient where id = person and erased_at is not null) then
        raise exception 'only of an erased patient' using errcode = 'check_violation';
    end if;
    delete from visit_observation using visit v where v.id = visit_id and v.patient_id = person;
    delete from visit_diagnosis using visit v where v.id = visit_id and v.patient_id = person;
    delete from prescription_item using prescription p where p.id = prescription_id and p.patient_id = person;
end $$;
revoke execute on function erase_codes(uuid) from public;
grant execute on function erase_codes(uuid) to :service_role;
