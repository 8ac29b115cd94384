CREATE SCHEMA queue;
CREATE DOMAIN queue.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION queue.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION queue.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'queue', 'public'
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
CREATE FUNCTION queue.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION queue.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION queue.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'queue', 'public'
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
CREATE FUNCTION queue.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'queue', 'public'
    AS $$select outbox_tell()$$;
CREATE TABLE queue.appointment_card (
    appointment_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    location_id uuid,
    starts_at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    revision integer NOT NULL
);
ALTER TABLE ONLY queue.appointment_card FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY queue.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.idempotency (
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
ALTER TABLE ONLY queue.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE queue.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE queue.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE queue.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE queue.licence_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    licensed_until date,
    revision integer NOT NULL
);
ALTER TABLE ONLY queue.licence_card FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.location_card (
    location_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    zone text NOT NULL
);
ALTER TABLE ONLY queue.location_card FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.outbox (
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
CREATE TABLE queue.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE queue.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME queue.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE queue.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME queue.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE queue.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE queue.patient_card (
    patient_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    is_active boolean NOT NULL
);
ALTER TABLE ONLY queue.patient_card FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.presence (
    provider_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    status text NOT NULL,
    until timestamp with time zone,
    room text,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT presence_status_known CHECK ((status = ANY (ARRAY['online'::text, 'offline'::text, 'break'::text])))
);
ALTER TABLE ONLY queue.presence FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.provider_card (
    provider_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    location_id uuid NOT NULL,
    zone text NOT NULL,
    revision integer NOT NULL,
    is_active boolean DEFAULT true NOT NULL
);
ALTER TABLE ONLY queue.provider_card FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.queue_day (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    location_id uuid NOT NULL,
    local_date date NOT NULL,
    last_sequence integer DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY queue.queue_day FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE queue.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE queue.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE queue.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY queue.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
CREATE TABLE queue.token (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    location_id uuid NOT NULL,
    local_date date NOT NULL,
    sequence integer NOT NULL,
    patient_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    appointment_id uuid,
    priority text NOT NULL,
    urgency smallint NOT NULL,
    lane smallint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    status text DEFAULT 'WAITING'::text NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    called_at timestamp with time zone,
    completed_at timestamp with time zone,
    waited_seconds integer,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT token_priority_known CHECK ((priority = ANY (ARRAY['routine'::text, 'urgent'::text, 'emergency'::text]))),
    CONSTRAINT token_status_known CHECK ((status = ANY (ARRAY['WAITING'::text, 'WITH_DOCTOR'::text, 'COMPLETED'::text, 'SKIPPED'::text, 'LEFT'::text])))
)
WITH (fillfactor='80');
ALTER TABLE ONLY queue.token FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY queue.appointment_card
    ADD CONSTRAINT appointment_card_pkey PRIMARY KEY (appointment_id);
ALTER TABLE ONLY queue.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY queue.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY queue.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY queue.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY queue.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY queue.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY queue.licence_card
    ADD CONSTRAINT licence_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY queue.location_card
    ADD CONSTRAINT location_card_pkey PRIMARY KEY (location_id);
ALTER TABLE ONLY queue.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY queue.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY queue.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY queue.patient_card
    ADD CONSTRAINT patient_card_pkey PRIMARY KEY (patient_id);
ALTER TABLE ONLY queue.presence
    ADD CONSTRAINT presence_pkey PRIMARY KEY (provider_id);
ALTER TABLE ONLY queue.provider_card
    ADD CONSTRAINT provider_card_one_per_account UNIQUE (tenant_id, account_id);
ALTER TABLE ONLY queue.provider_card
    ADD CONSTRAINT provider_card_pkey PRIMARY KEY (provider_id);
ALTER TABLE ONLY queue.queue_day
    ADD CONSTRAINT queue_day_key PRIMARY KEY (tenant_id, location_id, local_date);
ALTER TABLE ONLY queue.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY queue.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY queue.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY queue.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
ALTER TABLE ONLY queue.token
    ADD CONSTRAINT token_number_unique UNIQUE (tenant_id, location_id, local_date, sequence);
ALTER TABLE ONLY queue.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);
CREATE INDEX data_key_of_tenant ON queue.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON queue.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON queue.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON queue.inbox USING btree (received_at);
CREATE UNIQUE INDEX outbox_fact_once ON queue.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON queue.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON queue.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX revoked_session_expired ON queue.revoked_session USING btree (expires_at);
CREATE INDEX token_next ON queue.token USING btree (tenant_id, provider_id, local_date, urgency, lane, due_at, sequence) WHERE (status = 'WAITING'::text);
CREATE UNIQUE INDEX token_one_per_appointment ON queue.token USING btree (tenant_id, appointment_id) WHERE ((appointment_id IS NOT NULL) AND (status <> 'LEFT'::text));
CREATE UNIQUE INDEX token_one_per_walk_in ON queue.token USING btree (tenant_id, patient_id, provider_id, local_date) WHERE ((appointment_id IS NULL) AND (status = ANY (ARRAY['WAITING'::text, 'WITH_DOCTOR'::text, 'SKIPPED'::text])));
CREATE UNIQUE INDEX token_one_with_doctor ON queue.token USING btree (tenant_id, provider_id, local_date) WHERE (status = 'WITH_DOCTOR'::text);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON queue.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION queue.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON queue.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION queue.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON queue.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION queue.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON queue.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION queue.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON queue.outbox FOR EACH STATEMENT EXECUTE FUNCTION queue.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON queue.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION queue.outbox_note_sent();
ALTER TABLE queue.appointment_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY appointment_card_tenant ON queue.appointment_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON queue.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON queue.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.licence_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY licence_card_tenant ON queue.licence_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.location_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY location_card_tenant ON queue.location_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.patient_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_card_tenant ON queue.patient_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.presence ENABLE ROW LEVEL SECURITY;
CREATE POLICY presence_tenant ON queue.presence USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.provider_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY provider_card_tenant ON queue.provider_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.queue_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY queue_day_tenant ON queue.queue_day USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON queue.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE queue.token ENABLE ROW LEVEL SECURITY;
CREATE POLICY token_tenant ON queue.token USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA queue TO polyclinic_queue;
REVOKE ALL ON FUNCTION queue.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION queue.outbox_tell() TO polyclinic_queue;
REVOKE ALL ON FUNCTION queue.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION queue.outbox_tell(service text) TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.appointment_card TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE ON TABLE queue.data_key TO polyclinic_queue;
GRANT UPDATE(wrapped) ON TABLE queue.data_key TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE ON TABLE queue.idempotency TO polyclinic_queue;
GRANT UPDATE(answer) ON TABLE queue.idempotency TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE ON TABLE queue.inbox TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.inbox_revision TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE queue.isolation TO polyclinic_queue;
GRANT SELECT,INSERT ON TABLE queue.keyed_tenant TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.licence_card TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.location_card TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE ON TABLE queue.outbox TO polyclinic_queue;
GRANT UPDATE(published_at) ON TABLE queue.outbox TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.patient_card TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.presence TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.provider_card TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.queue_day TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE queue.revoked_account TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE queue.revoked_session TO polyclinic_queue;
GRANT SELECT ON TABLE queue.schema_migration TO polyclinic_queue;
GRANT SELECT,INSERT,DELETE ON TABLE queue.tenant_wrapping_key TO polyclinic_queue;
GRANT UPDATE(wrapped) ON TABLE queue.tenant_wrapping_key TO polyclinic_queue;
GRANT SELECT,INSERT,UPDATE ON TABLE queue.token TO polyclinic_queue;
