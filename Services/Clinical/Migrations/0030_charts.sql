-- Who has to do with which patient: what opens a chart to a clinician. `who` is an account, or the provider whose
-- account `provider_card` knows.
create table care_relation (
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    -- No foreign key: an appointment may be announced before a registration is here.
    patient_id  uuid not null,
    who         uuid not null,
    location_id uuid not null,
    kind        text not null,
    since       timestamptz not null default now(),
    constraint care_relation_kind_known check (kind in ('visit', 'appointment', 'arrival', 'referral')),
    -- A relation of a kind is known once.
    constraint care_relation_once primary key (patient_id, who, location_id, kind)
);

-- Those who were seen before there was this table have a relation too.
alter table visit no force row level security;
insert into care_relation (tenant_id, patient_id, who, location_id, kind, since)
select tenant_id, patient_id, practitioner_id, location_id, 'visit', min(started_at)
from visit group by tenant_id, patient_id, practitioner_id, location_id;
alter table visit force row level security;

-- A patient's site relations, for nurses and clinics that open charts by site.
create index care_relation_of_site on care_relation (patient_id, location_id);
alter table care_relation enable row level security;
alter table care_relation force row level security;
create policy care_relation_tenant on care_relation
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on care_relation to :service_role;

-- Which account a bookable provider is, as scheduling told it.
create table provider_card (
    provider_id uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    account_id  uuid not null
);
-- A caller's own providers are asked for with every chart.
create index provider_card_account on provider_card (account_id);
alter table provider_card enable row level security;
alter table provider_card force row level security;
create policy provider_card_tenant on provider_card
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on provider_card to :service_role;

-- Where a clinic draws the line for its doctors. No row is 'location'.
create table chart_policy (
    tenant_id  uuid primary key default current_setting('app.tenant')::uuid,
    policy     text not null,
    version    int not null default 1,
    constraint chart_policy_known check (policy in ('care', 'location', 'tenant'))
);
alter table chart_policy enable row level security;
alter table chart_policy force row level security;
create policy chart_policy_tenant on chart_policy
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert, update on chart_policy to :service_role;

-- A restricted chart (a colleague, a public person) opens to its own clinicians and to a broken glass only.
alter table patient add column restricted boolean not null default false;

-- That somebody opened a chart that was closed to them: for one patient, for an hour at most. `reason` and `note` are
-- sealed under the patient's key. Only the review is ever added to a row.
create table glass_grant (
    id          uuid primary key,
    tenant_id   uuid not null default current_setting('app.tenant')::uuid,
    patient_id  uuid not null references patient (id),
    account_id  uuid not null,
    location_id uuid not null,
    reason      bytea not null,
    granted_at  timestamptz not null,
    expires_at  timestamptz not null,
    reviewed_at timestamptz,
    reviewed_by uuid,
    outcome     text,
    note        bytea,
    -- When the overseers were told that nobody had looked.
    overdue_at  timestamptz,
    constraint glass_grant_ends check (expires_at > granted_at and expires_at <= granted_at + interval '60 minutes'),
    constraint glass_grant_outcome_known check (outcome in ('justified', 'unjustified', 'follow_up')),
    constraint glass_grant_review_whole check (num_nonnulls(reviewed_at, reviewed_by, outcome) in (0, 3)),
    -- Nobody judges what they did themselves.
    constraint glass_grant_reviewed_by_another check (reviewed_by <> account_id)
);
-- Asked with every chart that is closed otherwise.
create index glass_grant_open on glass_grant (patient_id, account_id, expires_at);
-- The review queue, oldest first.
create index glass_grant_unreviewed on glass_grant (tenant_id, granted_at) where reviewed_at is null;
alter table glass_grant enable row level security;
alter table glass_grant force row level security;
create policy glass_grant_tenant on glass_grant
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
grant select, insert on glass_grant to :service_role;
grant update (reviewed_at, reviewed_by, outcome, note, overdue_at) on glass_grant to :service_role;

-- The tenants where a glass was ever broken, for the worker that looks for overdue reviews: its rows say nothing else.
create table tenant_card (tenant_id uuid primary key);
grant select, insert on tenant_card to :service_role;
