\set lock random(1, 9223372036854775807)
\set key random(1, 9223372036854775807)
begin;
select set_config('app.tenant', 'TENANT', true);
select id as visit, patient, doctor, site, fact, entry from bench.wish where n = (select nextval('bench.at')) \gset
select (not exists (select from idempotency where account_id = :doctor and key = :key) and pg_try_advisory_xact_lock(:lock))::idempotency_key_unused;
select licensed_until from licence_card where account_id = :doctor;
-- On what ground the chart opens stands in the answer and in the condition, as the service asks it.
select v.id, v.patient_id, v.practitioner_id, v.location_id, v.local_date, v.status, v.token_id, v.appointment_id, v.started_at, v.completed_at,
    v.version, v.findings, k.wrapped,
    (select json_object_agg(o.code, coalesce(o.sealed_value::text, o.value::text))::text from visit_observation o where o.visit_id = v.id),
    chart.ground
    from visit v join patient p on p.id = v.patient_id join data_key k on k.person_id = p.id, lateral (select case
        when exists (select from care_relation c where c.patient_id = p.id and c.ends_at > now()
            and (c.who = :doctor or c.who in (select provider_id from provider_card where account_id = :doctor))) then 'care'
        when not p.restricted and coalesce((select policy from chart_policy), 'location') in ('location', 'tenant')
            and (p.location_id = :site
                or exists (select from care_relation c where c.patient_id = p.id and c.location_id = :site and c.ends_at > now())) then 'site'
        when not p.restricted and coalesce((select policy from chart_policy), 'location') = 'tenant' then 'tenant'
        when exists (select from glass_grant g where g.patient_id = p.id and g.account_id = :doctor and g.kind = 'opened' and g.expires_at > now())
            then 'break_glass'
    end as ground) chart
    where chart.ground is not null and v.id = :visit for update of v;
update visit set practitioner_id = :doctor, status = 'completed', completed_at = now(), findings = decode(repeat('00', 45), 'hex'), version = 2
    where id = :visit and version = 1;
select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted, chart.ground
    from patient p join data_key k on k.person_id = p.id, lateral (select case
        when exists (select from care_relation c where c.patient_id = p.id and c.ends_at > now()
            and (c.who = :doctor or c.who in (select provider_id from provider_card where account_id = :doctor))) then 'care'
        when not p.restricted and coalesce((select policy from chart_policy), 'location') in ('location', 'tenant')
            and (p.location_id = :site
                or exists (select from care_relation c where c.patient_id = p.id and c.location_id = :site and c.ends_at > now())) then 'site'
        when not p.restricted and coalesce((select policy from chart_policy), 'location') = 'tenant' then 'tenant'
        when exists (select from glass_grant g where g.patient_id = p.id and g.account_id = :doctor and g.kind = 'opened' and g.expires_at > now())
            then 'break_glass'
    end as ground) chart
    where chart.ground is not null and p.id = :patient;
select id, category, author_id, written_at, body from visit_note where visit_id = :visit order by id limit 1000;
select p.id, p.visit_id, p.patient_id, p.practitioner_id, p.issued_at, p.local_date, p.valid_until, p.words, i.id, i.medicine_id, i.sealed_medicine,
    i.name, i.generic_name, i.atc, i.dose, i.form, i.strength, i.dose_unit, i.frequency_per_day, i.duration_days, i.quantity, i.unit
    from prescription p join prescription_item i on i.prescription_id = p.id where p.visit_id = :visit order by p.id, i.position limit 5000;
insert into visit_snapshot (visit_id, patient_id, local_date, signed_by, signed_at, body)
    values (:visit, :patient, 'DAY', :doctor, now(), decode(repeat('00', 430), 'hex'));
insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values (gen_random_uuid(), 'clinical.visit.completed.v1', :visit, 2, :doctor,
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :fact, now()),
       (gen_random_uuid(), 'audit.entry.recorded.v1', :visit, 0, :doctor,
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', :entry, now());
insert into idempotency (account_id, key, request_hash, answer, patient_id)
    values (:doctor, :key, decode(repeat('00', 32), 'hex'), decode(repeat('00', 700), 'hex'), :patient);
commit;
