CREATE SCHEMA clinical;
CREATE DOMAIN clinical.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION clinical.erase_codes(person uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$
begin
    if not exists (select from patient where id = person and erased_at is not null) then
        raise exception 'only of an erased patient' using errcode = 'check_violation';
    end if;
    delete from visit_observation using visit v where v.id = visit_id and v.patient_id = person;
    delete from visit_diagnosis using visit v where v.id = visit_id and v.patient_id = person;
    delete from prescription_item using prescription p where p.id = prescription_id and p.patient_id = person;
end $$;
CREATE FUNCTION clinical.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION clinical.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$
begin
    insert into outbox_sent (tenant_id, ids)
    select tenant_id, array_agg(case type when 'audit.access.recorded.v1' then (data -> 'entries' -> 0 ->> 'id')::uuid else id end)
    from is_now
    where type in ('audit.entry.recorded.v1', 'audit.access.recorded.v1') and published_at is not null
        and id <> all (array(select id from was where published_at is not null))
    group by tenant_id;
    return null;
end $$;
CREATE FUNCTION clinical.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION clinical.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION clinical.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$
declare
    told  record;
    count bigint := 0;
begin
    for told in
        with taken as (
            delete from outbox_sent where number in (
                select number from outbox_sent order by number limit 1000 for update skip locked)
            returning tenant_id, ids
        ), placed as (
            select t.tenant_id, id, (row_number() over (partition by t.tenant_id) - 1) / 500 as part
            from taken t, unnest(t.ids) as id where id is not null
        )
        select p.tenant_id, array_agg(p.id) as ids from placed p group by p.tenant_id, p.part order by p.tenant_id, p.part
    loop
        insert into outbox_told as t (tenant_id, number) values (told.tenant_id, 1)
        on conflict (tenant_id) do update set number = t.number + 1;
        insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
        select gen_random_uuid(), t.tenant_id, 'audit.facts.sent.v1', current_schema(), 0,
            '00-' || replace(gen_random_uuid()::text, '-', '') || '-' || left(replace(gen_random_uuid()::text, '-', ''), 16) || '-01',
            json_build_object('service', current_schema(), 'number', t.number, 'ids', told.ids), clock_timestamp()
        from outbox_told t where t.tenant_id = told.tenant_id;
        count := count + cardinality(told.ids);
    end loop;
    return count;
end $$;
CREATE FUNCTION clinical.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$select outbox_tell()$$;
CREATE FUNCTION clinical.privacy_request_is_answered() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'an answered request does not change' using errcode = 'check_violation', constraint = 'privacy_request_answered_once';
end $$;
CREATE FUNCTION clinical.seal_observation(visit uuid, loinc text, box bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$
    update visit_observation set sealed_value = box, value = null
    where visit_id = visit and code = loinc and sealed_value is null
$$;
CREATE FUNCTION clinical.seal_prescription_item(item uuid, box bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'clinical', 'public'
    AS $$
    update prescription_item set sealed_medicine = box, name = null, generic_name = null, atc = null, dose = null
    where id = item and sealed_medicine is null
$$;
CREATE FUNCTION clinical.visit_diagnosis_keeps_nothing() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    return null;
end $$;
CREATE FUNCTION clinical.visit_is_final() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if old.status = 'completed' then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
CREATE FUNCTION clinical.visit_part_is_final() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'clinical', 'public'
    AS $$
begin
    if current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        if tg_op = 'DELETE' then
            return old;
        end if;
        if tg_op = 'UPDATE' and tg_table_name = 'visit_observation'
            and to_jsonb(old) ->> 'sealed_value' is null and to_jsonb(new) ->> 'sealed_value' is not null
            and to_jsonb(new) - '{value,sealed_value}'::text[] = to_jsonb(old) - '{value,sealed_value}'::text[]
        then
            return new;
        end if;
    end if;
    if exists (
        select from visit_snapshot s
        where s.visit_id = case tg_op when 'DELETE' then old.visit_id else new.visit_id end
    ) then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
CREATE TABLE clinical.care_relation (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    who uuid NOT NULL,
    location_id uuid,
    kind text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    appointment_id uuid,
    revision integer DEFAULT 0 NOT NULL,
    CONSTRAINT care_relation_kind_known CHECK ((kind = ANY (ARRAY['visit'::text, 'appointment'::text, 'arrival'::text, 'referral'::text]))),
    CONSTRAINT care_relation_placed CHECK (((location_id IS NOT NULL) OR (ends_at = '-infinity'::timestamp with time zone))),
    CONSTRAINT care_relation_revised CHECK (((revision = 0) OR (appointment_id IS NOT NULL)))
);
ALTER TABLE ONLY clinical.care_relation FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.chart_policy (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    policy text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT chart_policy_known CHECK ((policy = ANY (ARRAY['care'::text, 'location'::text, 'tenant'::text])))
);
ALTER TABLE ONLY clinical.chart_policy FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.consent (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    purpose text NOT NULL,
    document text NOT NULL,
    document_version text NOT NULL,
    given_by uuid NOT NULL,
    given_at timestamp with time zone NOT NULL,
    withdrawn_by uuid,
    withdrawn_at timestamp with time zone,
    CONSTRAINT consent_purpose CHECK ((purpose = ANY (ARRAY['treatment'::text, 'billing'::text, 'reminders'::text, 'teleconsultation'::text, 'research'::text, 'marketing'::text, 'sharing'::text]))),
    CONSTRAINT consent_withdrawn_whole CHECK (((withdrawn_by IS NULL) = (withdrawn_at IS NULL)))
);
ALTER TABLE ONLY clinical.consent FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY clinical.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.erasure (
    patient_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    requested_by uuid NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    ground text NOT NULL,
    not_before date NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT erasure_ground CHECK ((ground = ANY (ARRAY['patient_request'::text, 'consent_withdrawn'::text, 'registered_in_error'::text])))
);
ALTER TABLE ONLY clinical.erasure FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.glass_grant (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    account_id uuid NOT NULL,
    location_id uuid NOT NULL,
    reason bytea NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    reviewed_at timestamp with time zone,
    reviewed_by uuid,
    outcome text,
    note bytea,
    overdue_at timestamp with time zone,
    kind text DEFAULT 'opened'::text NOT NULL,
    CONSTRAINT glass_grant_ends CHECK (
CASE kind
    WHEN 'opened'::text THEN ((expires_at > granted_at) AND (expires_at <= (granted_at + '01:00:00'::interval)))
    ELSE (expires_at = granted_at)
END),
    CONSTRAINT glass_grant_kind_known CHECK ((kind = ANY (ARRAY['opened'::text, 'unlocked'::text]))),
    CONSTRAINT glass_grant_outcome_known CHECK ((outcome = ANY (ARRAY['justified'::text, 'unjustified'::text, 'follow_up'::text]))),
    CONSTRAINT glass_grant_review_whole CHECK ((num_nonnulls(reviewed_at, reviewed_by, outcome) = ANY (ARRAY[0, 3]))),
    CONSTRAINT glass_grant_reviewed_by_another CHECK ((reviewed_by <> account_id))
);
ALTER TABLE ONLY clinical.glass_grant FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.idempotency (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '48:00:00'::interval) NOT NULL,
    patient_id uuid,
    CONSTRAINT idempotency_key_short CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
ALTER TABLE ONLY clinical.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE clinical.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE clinical.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE clinical.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE clinical.licence_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    licensed_until date,
    revision integer NOT NULL
);
ALTER TABLE ONLY clinical.licence_card FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.medicine_card (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text NOT NULL,
    generic_name text,
    form text NOT NULL,
    strength text,
    atc text,
    active boolean NOT NULL,
    revision integer NOT NULL
);
ALTER TABLE ONLY clinical.medicine_card FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.mrn_counter (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT mrn_counter_positive CHECK ((last > 0))
);
ALTER TABLE ONLY clinical.mrn_counter FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.outbox (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL,
    actor uuid,
    traceparent text NOT NULL,
    data json NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    CONSTRAINT outbox_revision_counts CHECK ((revision >= 0)),
    CONSTRAINT outbox_type_named CHECK ((type ~ '^[a-z]+(\.[a-z][a-z0-9_]*){2,3}\.v[0-9]+$'::text))
);
CREATE TABLE clinical.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE clinical.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME clinical.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE clinical.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME clinical.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE clinical.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE clinical.patient (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    mrn bigint NOT NULL,
    location_id uuid NOT NULL,
    active boolean DEFAULT true NOT NULL,
    registered_at timestamp with time zone DEFAULT now() NOT NULL,
    personal bytea NOT NULL,
    external_ref bytea,
    version integer DEFAULT 1 NOT NULL,
    restricted boolean DEFAULT false NOT NULL,
    erased_at timestamp with time zone,
    held_by uuid,
    held_at timestamp with time zone,
    CONSTRAINT patient_hold_whole CHECK (((held_by IS NULL) = (held_at IS NULL)))
);
ALTER TABLE ONLY clinical.patient FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.patient_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    key bigint NOT NULL,
    patient_id uuid NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0.02');
ALTER TABLE ONLY clinical.patient_key FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.patient_version (
    patient_id uuid NOT NULL,
    version integer NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    replaced_by uuid NOT NULL,
    replaced_at timestamp with time zone DEFAULT now() NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT patient_version_positive CHECK ((version > 0))
);
ALTER TABLE ONLY clinical.patient_version FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.practitioner_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text,
    revision integer NOT NULL
);
ALTER TABLE ONLY clinical.practitioner_card FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.prescription (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    visit_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    valid_until date NOT NULL,
    words bytea NOT NULL,
    CONSTRAINT prescription_validity CHECK ((valid_until >= local_date))
);
ALTER TABLE ONLY clinical.prescription FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.prescription_item (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    prescription_id uuid NOT NULL,
    "position" integer NOT NULL,
    medicine_id uuid NOT NULL,
    name text,
    generic_name text,
    form text NOT NULL,
    strength text,
    atc text,
    dose bigint,
    dose_unit text NOT NULL,
    frequency_per_day integer NOT NULL,
    duration_days integer NOT NULL,
    quantity integer NOT NULL,
    unit text NOT NULL,
    sealed_medicine bytea,
    CONSTRAINT prescription_item_dose CHECK (((dose >= 1) AND (dose <= 10000000))),
    CONSTRAINT prescription_item_duration CHECK (((duration_days >= 1) AND (duration_days <= 365))),
    CONSTRAINT prescription_item_frequency CHECK (((frequency_per_day >= 1) AND (frequency_per_day <= 24))),
    CONSTRAINT prescription_item_quantity CHECK (((quantity >= 1) AND (quantity <= 100000)))
);
ALTER TABLE ONLY clinical.prescription_item FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.privacy_request (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    words bytea NOT NULL,
    filed_by uuid NOT NULL,
    filed_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    outcome text,
    answer bytea,
    answered_by uuid,
    answered_at timestamp with time zone,
    reminded_at timestamp with time zone,
    CONSTRAINT privacy_request_answer_after CHECK (((outcome IS NOT NULL) OR (answer IS NULL))),
    CONSTRAINT privacy_request_answer_whole CHECK ((num_nonnulls(outcome, answered_by, answered_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT privacy_request_kind_known CHECK ((kind = ANY (ARRAY['access'::text, 'correction'::text, 'erasure'::text, 'restriction'::text]))),
    CONSTRAINT privacy_request_outcome_known CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text]))),
    CONSTRAINT privacy_request_refusal_explained CHECK (((outcome IS DISTINCT FROM 'refused'::text) OR (answer IS NOT NULL)))
);
ALTER TABLE ONLY clinical.privacy_request FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.provider_card (
    provider_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL
);
ALTER TABLE ONLY clinical.provider_card FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.retention (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    years integer NOT NULL,
    set_by uuid NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT retention_years CHECK (((years >= 0) AND (years <= 100)))
);
ALTER TABLE ONLY clinical.retention FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE clinical.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE clinical.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE clinical.tenant_card (
    tenant_id uuid NOT NULL
);
CREATE TABLE clinical.tenant_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY clinical.tenant_key FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY clinical.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    location_id uuid NOT NULL,
    local_date date NOT NULL,
    status text DEFAULT 'in_progress'::text NOT NULL,
    token_id uuid,
    appointment_id uuid,
    started_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    findings bytea NOT NULL,
    external_ref bytea,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT visit_completed_at CHECK (((status = 'completed'::text) = (completed_at IS NOT NULL))),
    CONSTRAINT visit_status CHECK ((status = ANY (ARRAY['in_progress'::text, 'completed'::text])))
);
ALTER TABLE ONLY clinical.visit FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_addendum (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    visit_id uuid NOT NULL,
    author_id uuid NOT NULL,
    written_at timestamp with time zone NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE ONLY clinical.visit_addendum FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_diagnosis (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    visit_id uuid NOT NULL,
    "position" integer NOT NULL,
    system text,
    code text NOT NULL
);
ALTER TABLE ONLY clinical.visit_diagnosis FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_note (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    visit_id uuid NOT NULL,
    category text NOT NULL,
    author_id uuid NOT NULL,
    written_at timestamp with time zone NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT visit_note_category CHECK ((category = ANY (ARRAY['SYMPTOM'::text, 'OBSERVATION'::text, 'DIAGNOSIS'::text, 'TREATMENT'::text])))
);
ALTER TABLE ONLY clinical.visit_note FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_observation (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    visit_id uuid NOT NULL,
    code text NOT NULL,
    value numeric(8,3),
    unit text NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    sealed_value bytea
);
ALTER TABLE ONLY clinical.visit_observation FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_snapshot (
    visit_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    local_date date NOT NULL,
    signed_by uuid NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE ONLY clinical.visit_snapshot FORCE ROW LEVEL SECURITY;
CREATE TABLE clinical.visit_version (
    visit_id uuid NOT NULL,
    version integer NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    replaced_by uuid NOT NULL,
    replaced_at timestamp with time zone DEFAULT now() NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT visit_version_positive CHECK ((version > 0))
);
ALTER TABLE ONLY clinical.visit_version FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY clinical.chart_policy
    ADD CONSTRAINT chart_policy_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY clinical.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (patient_id);
ALTER TABLE ONLY clinical.glass_grant
    ADD CONSTRAINT glass_grant_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY clinical.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY clinical.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY clinical.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY clinical.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.licence_card
    ADD CONSTRAINT licence_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY clinical.medicine_card
    ADD CONSTRAINT medicine_card_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.mrn_counter
    ADD CONSTRAINT mrn_counter_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY clinical.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.patient
    ADD CONSTRAINT patient_external_ref UNIQUE (tenant_id, external_ref);
ALTER TABLE ONLY clinical.patient
    ADD CONSTRAINT patient_mrn UNIQUE (tenant_id, mrn);
ALTER TABLE ONLY clinical.patient
    ADD CONSTRAINT patient_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.patient_version
    ADD CONSTRAINT patient_version_once PRIMARY KEY (patient_id, version);
ALTER TABLE ONLY clinical.practitioner_card
    ADD CONSTRAINT practitioner_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY clinical.prescription_item
    ADD CONSTRAINT prescription_item_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.prescription_item
    ADD CONSTRAINT prescription_item_position UNIQUE (prescription_id, "position");
ALTER TABLE clinical.prescription_item
    ADD CONSTRAINT prescription_item_said_once CHECK (
CASE
    WHEN (sealed_medicine IS NULL) THEN ((name IS NOT NULL) AND (dose IS NOT NULL))
    ELSE (num_nonnulls(name, generic_name, atc, dose) = 0)
END) NOT VALID;
ALTER TABLE ONLY clinical.prescription
    ADD CONSTRAINT prescription_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.privacy_request
    ADD CONSTRAINT privacy_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.provider_card
    ADD CONSTRAINT provider_card_pkey PRIMARY KEY (provider_id);
ALTER TABLE ONLY clinical.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY clinical.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY clinical.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY clinical.tenant_card
    ADD CONSTRAINT tenant_card_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.tenant_key
    ADD CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY clinical.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
ALTER TABLE ONLY clinical.visit_addendum
    ADD CONSTRAINT visit_addendum_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.visit_diagnosis
    ADD CONSTRAINT visit_diagnosis_pkey PRIMARY KEY (visit_id, "position");
ALTER TABLE ONLY clinical.visit
    ADD CONSTRAINT visit_external_ref UNIQUE (tenant_id, external_ref);
ALTER TABLE ONLY clinical.visit_note
    ADD CONSTRAINT visit_note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.visit_observation
    ADD CONSTRAINT visit_observation_pkey PRIMARY KEY (visit_id, code);
ALTER TABLE clinical.visit_observation
    ADD CONSTRAINT visit_observation_said_once CHECK (((value IS NULL) <> (sealed_value IS NULL))) NOT VALID;
ALTER TABLE ONLY clinical.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY clinical.visit_snapshot
    ADD CONSTRAINT visit_snapshot_pkey PRIMARY KEY (visit_id);
ALTER TABLE ONLY clinical.visit_version
    ADD CONSTRAINT visit_version_once PRIMARY KEY (visit_id, version);
CREATE UNIQUE INDEX care_relation_of_appointment ON clinical.care_relation USING btree (appointment_id) WHERE (appointment_id IS NOT NULL);
CREATE INDEX care_relation_of_site ON clinical.care_relation USING btree (patient_id, location_id);
CREATE UNIQUE INDEX care_relation_once ON clinical.care_relation USING btree (patient_id, who, location_id, kind) WHERE (appointment_id IS NULL);
CREATE INDEX consent_of_patient ON clinical.consent USING btree (patient_id, id);
CREATE UNIQUE INDEX consent_one_standing ON clinical.consent USING btree (patient_id, purpose) WHERE (withdrawn_at IS NULL);
CREATE INDEX data_key_of_tenant ON clinical.data_key USING btree (tenant_id, person_id);
CREATE INDEX erasure_due ON clinical.erasure USING btree (tenant_id, not_before) WHERE (done_at IS NULL);
CREATE INDEX glass_grant_open ON clinical.glass_grant USING btree (patient_id, account_id, expires_at);
CREATE INDEX glass_grant_unreviewed ON clinical.glass_grant USING btree (tenant_id, granted_at) WHERE (reviewed_at IS NULL);
CREATE INDEX idempotency_expired ON clinical.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON clinical.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON clinical.inbox USING btree (received_at);
CREATE UNIQUE INDEX outbox_fact_once ON clinical.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON clinical.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON clinical.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE UNIQUE INDEX patient_key_found ON clinical.patient_key USING btree (key, patient_id) INCLUDE (tenant_id);
CREATE INDEX patient_newest ON clinical.patient USING btree (tenant_id, id DESC);
CREATE INDEX prescription_current ON clinical.prescription USING btree (patient_id, valid_until);
CREATE INDEX prescription_item_unsealed ON clinical.prescription_item USING btree (tenant_id, id) WHERE (sealed_medicine IS NULL);
CREATE INDEX prescription_visit ON clinical.prescription USING btree (visit_id, id);
CREATE INDEX privacy_request_due ON clinical.privacy_request USING btree (tenant_id, due_on, id) WHERE (outcome IS NULL);
CREATE INDEX privacy_request_of_patient ON clinical.privacy_request USING btree (patient_id, id);
CREATE UNIQUE INDEX privacy_request_one_open ON clinical.privacy_request USING btree (patient_id, kind) WHERE (outcome IS NULL);
CREATE INDEX provider_card_account ON clinical.provider_card USING btree (account_id);
CREATE INDEX revoked_session_expired ON clinical.revoked_session USING btree (expires_at);
CREATE INDEX visit_addendum_visit ON clinical.visit_addendum USING btree (visit_id, id);
CREATE INDEX visit_history ON clinical.visit USING btree (patient_id, started_at DESC, id DESC);
CREATE INDEX visit_note_visit ON clinical.visit_note USING btree (visit_id, id);
CREATE INDEX visit_observation_unsealed ON clinical.visit_observation USING btree (tenant_id, visit_id) WHERE (sealed_value IS NULL);
CREATE UNIQUE INDEX visit_one_open ON clinical.visit USING btree (tenant_id, patient_id, location_id) WHERE (status = 'in_progress'::text);
CREATE INDEX visit_snapshot_day ON clinical.visit_snapshot USING btree (tenant_id, local_date DESC, visit_id DESC);
CREATE INDEX visit_snapshot_patient ON clinical.visit_snapshot USING btree (patient_id, local_date DESC, visit_id DESC);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON clinical.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION clinical.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON clinical.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION clinical.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON clinical.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION clinical.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON clinical.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION clinical.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON clinical.outbox FOR EACH STATEMENT EXECUTE FUNCTION clinical.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON clinical.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION clinical.outbox_note_sent();
CREATE TRIGGER privacy_request_answered_once BEFORE UPDATE ON clinical.privacy_request FOR EACH ROW WHEN ((old.outcome IS NOT NULL)) EXECUTE FUNCTION clinical.privacy_request_is_answered();
CREATE TRIGGER visit_diagnosis_is_final BEFORE INSERT OR DELETE OR UPDATE ON clinical.visit_diagnosis FOR EACH ROW EXECUTE FUNCTION clinical.visit_part_is_final();
CREATE TRIGGER visit_diagnosis_keeps_nothing BEFORE INSERT ON clinical.visit_diagnosis FOR EACH ROW EXECUTE FUNCTION clinical.visit_diagnosis_keeps_nothing();
CREATE TRIGGER visit_is_final BEFORE DELETE OR UPDATE ON clinical.visit FOR EACH ROW EXECUTE FUNCTION clinical.visit_is_final();
CREATE TRIGGER visit_note_is_final BEFORE INSERT OR DELETE OR UPDATE ON clinical.visit_note FOR EACH ROW EXECUTE FUNCTION clinical.visit_part_is_final();
CREATE TRIGGER visit_observation_is_final BEFORE INSERT OR DELETE OR UPDATE ON clinical.visit_observation FOR EACH ROW EXECUTE FUNCTION clinical.visit_part_is_final();
ALTER TABLE ONLY clinical.consent
    ADD CONSTRAINT consent_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.erasure
    ADD CONSTRAINT erasure_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.glass_grant
    ADD CONSTRAINT glass_grant_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.patient_version
    ADD CONSTRAINT patient_version_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.prescription_item
    ADD CONSTRAINT prescription_item_prescription_id_fkey FOREIGN KEY (prescription_id) REFERENCES clinical.prescription(id);
ALTER TABLE ONLY clinical.prescription
    ADD CONSTRAINT prescription_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.prescription
    ADD CONSTRAINT prescription_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.privacy_request
    ADD CONSTRAINT privacy_request_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.visit_addendum
    ADD CONSTRAINT visit_addendum_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.visit_diagnosis
    ADD CONSTRAINT visit_diagnosis_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.visit_note
    ADD CONSTRAINT visit_note_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.visit_observation
    ADD CONSTRAINT visit_observation_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.visit
    ADD CONSTRAINT visit_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.visit_snapshot
    ADD CONSTRAINT visit_snapshot_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES clinical.patient(id);
ALTER TABLE ONLY clinical.visit_snapshot
    ADD CONSTRAINT visit_snapshot_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE ONLY clinical.visit_version
    ADD CONSTRAINT visit_version_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES clinical.visit(id);
ALTER TABLE clinical.care_relation ENABLE ROW LEVEL SECURITY;
CREATE POLICY care_relation_tenant ON clinical.care_relation USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.chart_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY chart_policy_tenant ON clinical.chart_policy USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.consent ENABLE ROW LEVEL SECURITY;
CREATE POLICY consent_tenant ON clinical.consent USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON clinical.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.erasure ENABLE ROW LEVEL SECURITY;
CREATE POLICY erasure_tenant ON clinical.erasure USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.glass_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY glass_grant_tenant ON clinical.glass_grant USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON clinical.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.licence_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY licence_card_tenant ON clinical.licence_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.medicine_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY medicine_card_tenant ON clinical.medicine_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.mrn_counter ENABLE ROW LEVEL SECURITY;
CREATE POLICY mrn_counter_tenant ON clinical.mrn_counter USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinical.patient_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_key_tenant ON clinical.patient_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY patient_tenant ON clinical.patient USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.patient_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_version_tenant ON clinical.patient_version USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.practitioner_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY practitioner_card_tenant ON clinical.practitioner_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.prescription ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinical.prescription_item ENABLE ROW LEVEL SECURITY;
CREATE POLICY prescription_item_tenant ON clinical.prescription_item USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY prescription_tenant ON clinical.prescription USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.privacy_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY privacy_request_tenant ON clinical.privacy_request USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.provider_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY provider_card_tenant ON clinical.provider_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.retention ENABLE ROW LEVEL SECURITY;
CREATE POLICY retention_tenant ON clinical.retention USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.tenant_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_key_tenant ON clinical.tenant_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON clinical.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinical.visit_addendum ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_addendum_tenant ON clinical.visit_addendum USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit_diagnosis ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_diagnosis_tenant ON clinical.visit_diagnosis USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_note_tenant ON clinical.visit_note USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit_observation ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_observation_tenant ON clinical.visit_observation USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit_snapshot ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_snapshot_tenant ON clinical.visit_snapshot USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY visit_tenant ON clinical.visit USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE clinical.visit_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_version_tenant ON clinical.visit_version USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA clinical TO polyclinic_clinical;
REVOKE ALL ON FUNCTION clinical.erase_codes(person uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION clinical.erase_codes(person uuid) TO polyclinic_clinical;
REVOKE ALL ON FUNCTION clinical.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION clinical.outbox_tell() TO polyclinic_clinical;
REVOKE ALL ON FUNCTION clinical.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION clinical.outbox_tell(service text) TO polyclinic_clinical;
REVOKE ALL ON FUNCTION clinical.seal_observation(visit uuid, loinc text, box bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION clinical.seal_observation(visit uuid, loinc text, box bytea) TO polyclinic_clinical;
REVOKE ALL ON FUNCTION clinical.seal_prescription_item(item uuid, box bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION clinical.seal_prescription_item(item uuid, box bytea) TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.care_relation TO polyclinic_clinical;
GRANT UPDATE(who) ON TABLE clinical.care_relation TO polyclinic_clinical;
GRANT UPDATE(location_id) ON TABLE clinical.care_relation TO polyclinic_clinical;
GRANT UPDATE(ends_at) ON TABLE clinical.care_relation TO polyclinic_clinical;
GRANT UPDATE(revision) ON TABLE clinical.care_relation TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.chart_policy TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.consent TO polyclinic_clinical;
GRANT UPDATE(withdrawn_by) ON TABLE clinical.consent TO polyclinic_clinical;
GRANT UPDATE(withdrawn_at) ON TABLE clinical.consent TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.data_key TO polyclinic_clinical;
GRANT UPDATE(wrapped) ON TABLE clinical.data_key TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.erasure TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT UPDATE(reviewed_at) ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT UPDATE(reviewed_by) ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT UPDATE(outcome) ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT UPDATE(note) ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT UPDATE(overdue_at) ON TABLE clinical.glass_grant TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.idempotency TO polyclinic_clinical;
GRANT UPDATE(answer) ON TABLE clinical.idempotency TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.inbox TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.inbox_revision TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE clinical.isolation TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.keyed_tenant TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.licence_card TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.medicine_card TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.mrn_counter TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.outbox TO polyclinic_clinical;
GRANT UPDATE(published_at) ON TABLE clinical.outbox TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.patient TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.patient_key TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.patient_version TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.practitioner_card TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.prescription TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.prescription_item TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT UPDATE(outcome) ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT UPDATE(answer) ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT UPDATE(answered_by) ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT UPDATE(answered_at) ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT UPDATE(reminded_at) ON TABLE clinical.privacy_request TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.provider_card TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.retention TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE clinical.revoked_account TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE clinical.revoked_session TO polyclinic_clinical;
GRANT SELECT ON TABLE clinical.schema_migration TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.tenant_card TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.tenant_key TO polyclinic_clinical;
GRANT UPDATE(wrapped) ON TABLE clinical.tenant_key TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.tenant_wrapping_key TO polyclinic_clinical;
GRANT UPDATE(wrapped) ON TABLE clinical.tenant_wrapping_key TO polyclinic_clinical;
GRANT SELECT,INSERT,UPDATE ON TABLE clinical.visit TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.visit_addendum TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE ON TABLE clinical.visit_diagnosis TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.visit_note TO polyclinic_clinical;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE clinical.visit_observation TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.visit_snapshot TO polyclinic_clinical;
GRANT SELECT,INSERT ON TABLE clinical.visit_version TO polyclinic_clinical;
