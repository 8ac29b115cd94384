-- What a day at the clinic came to, counted up as its facts arrive. The inbox counts each of them once.
create table daily_summary (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    local_date date not null,
    patients_registered bigint not null default 0,
    patients_seen bigint not null default 0,
    visits_started bigint not null default 0,
    visits_completed bigint not null default 0,
    -- By the day of the appointment, not of the call that made it.
    appointments_booked bigint not null default 0,
    appointments_cancelled bigint not null default 0,
    tokens_issued bigint not null default 0,
    tokens_completed bigint not null default 0,
    invoices_issued bigint not null default 0,
    items_dispensed bigint not null default 0,
    prescriptions_dispensed bigint not null default 0,
    primary key (tenant_id, local_date)
);

alter table daily_summary enable row level security;
alter table daily_summary force row level security;
create policy daily_summary_of_tenant on daily_summary
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on daily_summary to :service_role;

-- What came in that day by each way of paying, and what went back.
create table daily_takings (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    local_date date not null,
    -- CASH, CARD, UPI; REFUND for what went back.
    method text not null,
    currency char(3) not null,
    count bigint not null default 0,
    amount bigint not null default 0,
    primary key (tenant_id, local_date, method, currency)
);

alter table daily_takings enable row level security;
alter table daily_takings force row level security;
create policy daily_takings_of_tenant on daily_takings
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert, update on daily_takings to :service_role;

-- Who was seen that day, so that a second visit does not count the patient twice.
create table daily_patient (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    local_date date not null,
    patient_id uuid not null,
    primary key (tenant_id, local_date, patient_id)
);

alter table daily_patient enable row level security;
alter table daily_patient force row level security;
create policy daily_patient_of_tenant on daily_patient
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on daily_patient to :service_role;
