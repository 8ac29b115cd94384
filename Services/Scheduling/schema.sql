CREATE SCHEMA scheduling;
CREATE DOMAIN scheduling.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION scheduling.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION scheduling.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'scheduling', 'public'
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
CREATE FUNCTION scheduling.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION scheduling.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION scheduling.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'scheduling', 'public'
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
CREATE FUNCTION scheduling.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'scheduling', 'public'
    AS $$select outbox_tell()$$;
CREATE FUNCTION scheduling.rating_counts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    update provider set rating_count = rating_count + 1, rating_sum = rating_sum + new.score where id = new.provider_id;
    return null;
end $$;
CREATE FUNCTION scheduling.rating_of_what_was() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE TABLE scheduling.account_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    is_doctor boolean DEFAULT false NOT NULL,
    location_id uuid,
    zone text,
    name text,
    roles_revision integer DEFAULT 0 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    active_revision integer DEFAULT 0 NOT NULL,
    licensed_until date,
    licence_revision integer DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY scheduling.account_card FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.appointment (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    slot_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    location_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    status text DEFAULT 'booked'::text NOT NULL,
    modality text NOT NULL,
    priority text NOT NULL,
    reason text,
    cancel_reason text,
    booked_by uuid NOT NULL,
    token_id uuid,
    visit_id uuid,
    version integer DEFAULT 1 NOT NULL,
    booked_at timestamp with time zone DEFAULT now() NOT NULL,
    sealed_reason bytea,
    sealed_cancel_reason bytea,
    answer_by timestamp with time zone,
    holds_slot boolean GENERATED ALWAYS AS ((status <> ALL (ARRAY['cancelled'::text, 'declined'::text, 'expired'::text]))) STORED NOT NULL,
    holds_time boolean GENERATED ALWAYS AS ((status = ANY (ARRAY['requested'::text, 'booked'::text, 'arrived'::text]))) STORED NOT NULL,
    is_asked boolean GENERATED ALWAYS AS ((status = 'requested'::text)) STORED NOT NULL,
    CONSTRAINT appointment_modality_known CHECK ((modality = ANY (ARRAY['in_person'::text, 'telemedicine'::text]))),
    CONSTRAINT appointment_priority_known CHECK ((priority = ANY (ARRAY['routine'::text, 'urgent'::text, 'emergency'::text])))
)
WITH (fillfactor='85');
ALTER TABLE ONLY scheduling.appointment FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY scheduling.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.idempotency (
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
ALTER TABLE ONLY scheduling.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE scheduling.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE scheduling.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE scheduling.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE scheduling.location_card (
    location_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    zone text NOT NULL
);
ALTER TABLE ONLY scheduling.location_card FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.outbox (
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
CREATE TABLE scheduling.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE scheduling.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME scheduling.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE scheduling.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME scheduling.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE scheduling.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE scheduling.patient_card (
    patient_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    is_active boolean NOT NULL,
    is_restricted boolean DEFAULT false NOT NULL,
    restriction_at timestamp with time zone
);
ALTER TABLE ONLY scheduling.patient_card FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.provider (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    location_id uuid NOT NULL,
    zone text NOT NULL,
    name text NOT NULL,
    specialties text[] DEFAULT '{}'::text[] NOT NULL,
    languages text[] DEFAULT '{}'::text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    presence text DEFAULT 'offline'::text NOT NULL,
    presence_until timestamp with time zone,
    presence_revision integer DEFAULT 0 NOT NULL,
    roster_revision integer DEFAULT 0 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    licensed_until date DEFAULT '2200-12-31'::date NOT NULL,
    booking_mode text DEFAULT 'direct'::text NOT NULL,
    request_hours integer DEFAULT 24 NOT NULL,
    rating_count integer DEFAULT 0 NOT NULL,
    rating_sum integer DEFAULT 0 NOT NULL,
    CONSTRAINT provider_booking_mode_known CHECK ((booking_mode = ANY (ARRAY['direct'::text, 'request'::text]))),
    CONSTRAINT provider_lists_bounded CHECK (((cardinality(specialties) <= 20) AND (cardinality(languages) <= 20))),
    CONSTRAINT provider_presence_known CHECK ((presence = ANY (ARRAY['online'::text, 'offline'::text, 'break'::text]))),
    CONSTRAINT provider_request_hours_bounded CHECK (((request_hours >= 1) AND (request_hours <= 168)))
);
ALTER TABLE ONLY scheduling.provider FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.rating (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    appointment_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    score smallint NOT NULL,
    sealed_comment bytea,
    rated_at timestamp with time zone NOT NULL,
    CONSTRAINT rating_score_known CHECK (((score >= 1) AND (score <= 5)))
);
ALTER TABLE ONLY scheduling.rating FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE scheduling.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE scheduling.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE scheduling.slot (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    provider_id uuid NOT NULL,
    location_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    status text DEFAULT 'free'::text NOT NULL,
    block_reason text,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT slot_has_length CHECK (((starts_at < ends_at) AND (ends_at <= (starts_at + '12:00:00'::interval)))),
    CONSTRAINT slot_status_known CHECK ((status = ANY (ARRAY['free'::text, 'booked'::text, 'blocked'::text])))
)
WITH (fillfactor='80');
ALTER TABLE ONLY scheduling.slot FORCE ROW LEVEL SECURITY;
CREATE TABLE scheduling.tenant_card (
    tenant_id uuid NOT NULL
);
CREATE TABLE scheduling.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY scheduling.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY scheduling.account_card
    ADD CONSTRAINT account_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY scheduling.appointment
    ADD CONSTRAINT appointment_patient_in_one_place EXCLUDE USING gist (tenant_id WITH =, patient_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (holds_time);
ALTER TABLE ONLY scheduling.appointment
    ADD CONSTRAINT appointment_pkey PRIMARY KEY (id);
ALTER TABLE scheduling.appointment
    ADD CONSTRAINT appointment_request_ends CHECK (((status <> 'requested'::text) OR ((answer_by IS NOT NULL) AND (answer_by <= starts_at)))) NOT VALID;
ALTER TABLE scheduling.appointment
    ADD CONSTRAINT appointment_status_known CHECK ((status = ANY (ARRAY['requested'::text, 'booked'::text, 'arrived'::text, 'fulfilled'::text, 'cancelled'::text, 'noshow'::text, 'declined'::text, 'expired'::text]))) NOT VALID;
ALTER TABLE ONLY scheduling.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY scheduling.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY scheduling.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY scheduling.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY scheduling.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY scheduling.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY scheduling.location_card
    ADD CONSTRAINT location_card_pkey PRIMARY KEY (location_id);
ALTER TABLE ONLY scheduling.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY scheduling.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY scheduling.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY scheduling.patient_card
    ADD CONSTRAINT patient_card_pkey PRIMARY KEY (patient_id);
ALTER TABLE ONLY scheduling.provider
    ADD CONSTRAINT provider_one_per_account UNIQUE (tenant_id, account_id);
ALTER TABLE ONLY scheduling.provider
    ADD CONSTRAINT provider_pkey PRIMARY KEY (id);
ALTER TABLE ONLY scheduling.rating
    ADD CONSTRAINT rating_once UNIQUE (tenant_id, appointment_id);
ALTER TABLE ONLY scheduling.rating
    ADD CONSTRAINT rating_pkey PRIMARY KEY (id);
ALTER TABLE ONLY scheduling.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY scheduling.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY scheduling.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY scheduling.slot
    ADD CONSTRAINT slot_pkey PRIMARY KEY (id);
ALTER TABLE ONLY scheduling.slot
    ADD CONSTRAINT slot_provider_in_one_place EXCLUDE USING gist (tenant_id WITH =, provider_id WITH =, tstzrange(starts_at, ends_at) WITH &&);
ALTER TABLE ONLY scheduling.tenant_card
    ADD CONSTRAINT tenant_card_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY scheduling.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
CREATE INDEX appointment_by_time ON scheduling.appointment USING btree (tenant_id, starts_at, id);
CREATE INDEX appointment_of_patient ON scheduling.appointment USING btree (tenant_id, patient_id, starts_at, id);
CREATE INDEX appointment_of_provider ON scheduling.appointment USING btree (tenant_id, provider_id, starts_at, id);
CREATE UNIQUE INDEX appointment_one_per_slot ON scheduling.appointment USING btree (slot_id) WHERE holds_slot;
CREATE INDEX appointment_open ON scheduling.appointment USING btree (tenant_id, ends_at) WHERE holds_time;
CREATE INDEX appointment_unanswered ON scheduling.appointment USING btree (tenant_id, answer_by) WHERE is_asked;
CREATE INDEX appointment_unsealed ON scheduling.appointment USING btree (tenant_id, id) WHERE ((reason IS NOT NULL) OR (cancel_reason IS NOT NULL));
CREATE INDEX data_key_of_tenant ON scheduling.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON scheduling.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON scheduling.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON scheduling.inbox USING btree (received_at);
CREATE UNIQUE INDEX outbox_fact_once ON scheduling.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON scheduling.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON scheduling.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX provider_directory ON scheduling.provider USING btree (tenant_id, name, id);
CREATE INDEX rating_of_patient ON scheduling.rating USING btree (tenant_id, patient_id);
CREATE INDEX rating_of_provider ON scheduling.rating USING btree (tenant_id, provider_id, rated_at DESC, id DESC);
CREATE INDEX revoked_session_expired ON scheduling.revoked_session USING btree (expires_at);
CREATE INDEX slot_by_time ON scheduling.slot USING btree (tenant_id, starts_at, id);
CREATE INDEX slot_of_day ON scheduling.slot USING btree (tenant_id, provider_id, local_date, starts_at, id);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON scheduling.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION scheduling.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON scheduling.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION scheduling.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON scheduling.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION scheduling.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON scheduling.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION scheduling.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON scheduling.outbox FOR EACH STATEMENT EXECUTE FUNCTION scheduling.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON scheduling.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION scheduling.outbox_note_sent();
CREATE TRIGGER rating_counts AFTER INSERT ON scheduling.rating FOR EACH ROW EXECUTE FUNCTION scheduling.rating_counts();
CREATE TRIGGER rating_of_what_was BEFORE INSERT ON scheduling.rating FOR EACH ROW EXECUTE FUNCTION scheduling.rating_of_what_was();
ALTER TABLE ONLY scheduling.appointment
    ADD CONSTRAINT appointment_slot_id_fkey FOREIGN KEY (slot_id) REFERENCES scheduling.slot(id);
ALTER TABLE ONLY scheduling.rating
    ADD CONSTRAINT rating_appointment_id_fkey FOREIGN KEY (appointment_id) REFERENCES scheduling.appointment(id);
ALTER TABLE ONLY scheduling.rating
    ADD CONSTRAINT rating_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES scheduling.provider(id);
ALTER TABLE ONLY scheduling.slot
    ADD CONSTRAINT slot_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES scheduling.provider(id);
ALTER TABLE scheduling.account_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_card_tenant ON scheduling.account_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.appointment ENABLE ROW LEVEL SECURITY;
CREATE POLICY appointment_tenant ON scheduling.appointment USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON scheduling.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON scheduling.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.location_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY location_card_tenant ON scheduling.location_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.patient_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_card_tenant ON scheduling.patient_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.provider ENABLE ROW LEVEL SECURITY;
CREATE POLICY provider_tenant ON scheduling.provider USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.rating ENABLE ROW LEVEL SECURITY;
CREATE POLICY rating_tenant ON scheduling.rating USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.slot ENABLE ROW LEVEL SECURITY;
CREATE POLICY slot_tenant ON scheduling.slot USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE scheduling.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON scheduling.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA scheduling TO polyclinic_scheduling;
REVOKE ALL ON FUNCTION scheduling.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION scheduling.outbox_tell() TO polyclinic_scheduling;
REVOKE ALL ON FUNCTION scheduling.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION scheduling.outbox_tell(service text) TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.account_card TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.appointment TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE ON TABLE scheduling.data_key TO polyclinic_scheduling;
GRANT UPDATE(wrapped) ON TABLE scheduling.data_key TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE ON TABLE scheduling.idempotency TO polyclinic_scheduling;
GRANT UPDATE(answer) ON TABLE scheduling.idempotency TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE ON TABLE scheduling.inbox TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.inbox_revision TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE scheduling.isolation TO polyclinic_scheduling;
GRANT SELECT,INSERT ON TABLE scheduling.keyed_tenant TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.location_card TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE ON TABLE scheduling.outbox TO polyclinic_scheduling;
GRANT UPDATE(published_at) ON TABLE scheduling.outbox TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.patient_card TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.provider TO polyclinic_scheduling;
GRANT SELECT,INSERT ON TABLE scheduling.rating TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE scheduling.revoked_account TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE scheduling.revoked_session TO polyclinic_scheduling;
GRANT SELECT ON TABLE scheduling.schema_migration TO polyclinic_scheduling;
GRANT SELECT,INSERT,UPDATE ON TABLE scheduling.slot TO polyclinic_scheduling;
GRANT SELECT,INSERT ON TABLE scheduling.tenant_card TO polyclinic_scheduling;
GRANT SELECT,INSERT,DELETE ON TABLE scheduling.tenant_wrapping_key TO polyclinic_scheduling;
GRANT UPDATE(wrapped) ON TABLE scheduling.tenant_wrapping_key TO polyclinic_scheduling;
