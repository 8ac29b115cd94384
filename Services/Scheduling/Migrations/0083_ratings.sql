-- What a patient says of an appointment of theirs that is over: a figure, and maybe words for the practitioner and the clinic.
create table rating (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    appointment_id uuid not null references appointment,
    patient_id uuid not null,
    provider_id uuid not null references provider,
    score smallint not null,
    sealed_comment bytea,
    rated_at timestamptz not null,
    constraint rating_score_known check (score between 1 and 5),
    -- Once for each appointment, whoever speaks for the patient.
    constraint rating_once unique (tenant_id, appointment_id)
);
alter table rating enable row level security;
alter table rating force row level security;
create policy rating_tenant on rating
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);
-- A practitioner's, newest first.
create index rating_of_provider on rating (tenant_id, provider_id, rated_at desc, id desc);
-- A patient's, for the export.
create index rating_of_patient on rating (tenant_id, patient_id);
grant select, insert on rating to :service_role;

-- Only of the patient whose appointment it was, with whom it was, and only once it is over.
create function rating_of_what_was() returns trigger language plpgsql as $$
begin
    if not exists (
        select from appointment a
        where a.id = new.appointment_id and a.patient_id = new.patient_id and a.provider_id = new.provider_id
          and a.status = 'fulfilled'
    ) then
        raise exception 'rated is what was' using errcode = 'check_violation', constraint = 'rating_of_what_was';
    end if;
    return new;
end $$;
create trigger rating_of_what_was before insert on rating for each row execute function rating_of_what_was();

-- The profile shows a count and a mean: kept with the practitioner, so that a directory need not count.
alter table provider add column rating_count int not null default 0;
alter table provider add column rating_sum int not null default 0;
create function rating_counts() returns trigger language plpgsql as $$
begin
    update provider set rating_count = rating_count + 1, rating_sum = rating_sum + new.score where id = new.provider_id;
    return null;
end $$;
create trigger rating_counts after insert on rating for each row execute function rating_counts();
