CREATE SCHEMA notifications;
CREATE DOMAIN notifications.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION notifications.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION notifications.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'notifications', 'public'
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
CREATE FUNCTION notifications.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION notifications.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION notifications.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'notifications', 'public'
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
CREATE FUNCTION notifications.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'notifications', 'public'
    AS $$select outbox_tell()$$;
CREATE TABLE notifications.consent_card (
    patient_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    is_given boolean NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY notifications.consent_card FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY notifications.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.idempotency (
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
ALTER TABLE ONLY notifications.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE notifications.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE notifications.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE notifications.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE notifications.notice (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    role text,
    patient_id uuid,
    at timestamp with time zone NOT NULL,
    event_id uuid NOT NULL,
    account_id uuid,
    provider_id uuid
);
ALTER TABLE ONLY notifications.notice FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.notice_read (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    notice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY notifications.notice_read FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.outbox (
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
CREATE TABLE notifications.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE notifications.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notifications.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE notifications.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notifications.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE notifications.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE notifications.provider_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    provider_id uuid NOT NULL
);
ALTER TABLE ONLY notifications.provider_card FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.reminder (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    rule text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT reminder_before_start CHECK ((due_at < starts_at)),
    CONSTRAINT reminder_status CHECK ((status = ANY (ARRAY['pending'::text, 'announced'::text, 'void'::text])))
);
ALTER TABLE ONLY notifications.reminder FORCE ROW LEVEL SECURITY;
CREATE TABLE notifications.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE notifications.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE notifications.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE notifications.tenant_card (
    tenant_id uuid NOT NULL
);
CREATE TABLE notifications.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY notifications.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY notifications.consent_card
    ADD CONSTRAINT consent_card_pkey PRIMARY KEY (patient_id);
ALTER TABLE ONLY notifications.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY notifications.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY notifications.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY notifications.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY notifications.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY notifications.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE notifications.notice
    ADD CONSTRAINT notice_has_an_audience CHECK ((num_nonnulls(role, patient_id, account_id, provider_id) = 1)) NOT VALID;
ALTER TABLE ONLY notifications.notice
    ADD CONSTRAINT notice_one_per_fact UNIQUE NULLS NOT DISTINCT (tenant_id, event_id, role, patient_id, account_id, provider_id);
ALTER TABLE ONLY notifications.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notifications.notice_read
    ADD CONSTRAINT notice_read_pkey PRIMARY KEY (notice_id, account_id);
ALTER TABLE ONLY notifications.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notifications.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY notifications.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY notifications.provider_card
    ADD CONSTRAINT provider_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY notifications.reminder
    ADD CONSTRAINT reminder_one_per_rule UNIQUE (tenant_id, appointment_id, rule);
ALTER TABLE ONLY notifications.reminder
    ADD CONSTRAINT reminder_pkey PRIMARY KEY (id);
ALTER TABLE ONLY notifications.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY notifications.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY notifications.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY notifications.tenant_card
    ADD CONSTRAINT tenant_card_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY notifications.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
CREATE INDEX data_key_of_tenant ON notifications.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON notifications.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON notifications.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON notifications.inbox USING btree (received_at);
CREATE INDEX notice_by_account ON notifications.notice USING btree (tenant_id, account_id, at DESC, id DESC) WHERE (account_id IS NOT NULL);
CREATE INDEX notice_by_patient ON notifications.notice USING btree (tenant_id, patient_id, at DESC, id DESC) WHERE (patient_id IS NOT NULL);
CREATE INDEX notice_by_provider ON notifications.notice USING btree (tenant_id, provider_id, at DESC, id DESC) WHERE (provider_id IS NOT NULL);
CREATE INDEX notice_by_role ON notifications.notice USING btree (tenant_id, role, at DESC, id DESC) WHERE (role IS NOT NULL);
CREATE INDEX notice_recent ON notifications.notice USING btree (tenant_id, at);
CREATE UNIQUE INDEX outbox_fact_once ON notifications.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON notifications.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON notifications.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX reminder_due ON notifications.reminder USING btree (tenant_id, due_at) WHERE (status = 'pending'::text);
CREATE INDEX revoked_session_expired ON notifications.revoked_session USING btree (expires_at);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON notifications.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION notifications.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON notifications.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION notifications.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON notifications.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION notifications.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON notifications.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION notifications.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON notifications.outbox FOR EACH STATEMENT EXECUTE FUNCTION notifications.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON notifications.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION notifications.outbox_note_sent();
ALTER TABLE ONLY notifications.notice_read
    ADD CONSTRAINT notice_read_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES notifications.notice(id);
ALTER TABLE notifications.consent_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY consent_card_tenant ON notifications.consent_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON notifications.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON notifications.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications.notice_read ENABLE ROW LEVEL SECURITY;
CREATE POLICY notice_read_tenant ON notifications.notice_read USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY notice_tenant ON notifications.notice USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.provider_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY provider_card_tenant ON notifications.provider_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.reminder ENABLE ROW LEVEL SECURITY;
CREATE POLICY reminder_tenant ON notifications.reminder USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE notifications.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON notifications.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA notifications TO polyclinic_notifications;
REVOKE ALL ON FUNCTION notifications.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION notifications.outbox_tell() TO polyclinic_notifications;
REVOKE ALL ON FUNCTION notifications.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION notifications.outbox_tell(service text) TO polyclinic_notifications;
GRANT SELECT,INSERT,UPDATE ON TABLE notifications.consent_card TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE ON TABLE notifications.data_key TO polyclinic_notifications;
GRANT UPDATE(wrapped) ON TABLE notifications.data_key TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE ON TABLE notifications.idempotency TO polyclinic_notifications;
GRANT UPDATE(answer) ON TABLE notifications.idempotency TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE ON TABLE notifications.inbox TO polyclinic_notifications;
GRANT SELECT,INSERT,UPDATE ON TABLE notifications.inbox_revision TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE notifications.isolation TO polyclinic_notifications;
GRANT SELECT,INSERT ON TABLE notifications.keyed_tenant TO polyclinic_notifications;
GRANT SELECT,INSERT ON TABLE notifications.notice TO polyclinic_notifications;
GRANT SELECT,INSERT ON TABLE notifications.notice_read TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE ON TABLE notifications.outbox TO polyclinic_notifications;
GRANT UPDATE(published_at) ON TABLE notifications.outbox TO polyclinic_notifications;
GRANT SELECT,INSERT ON TABLE notifications.provider_card TO polyclinic_notifications;
GRANT SELECT,INSERT,UPDATE ON TABLE notifications.reminder TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE notifications.revoked_account TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE notifications.revoked_session TO polyclinic_notifications;
GRANT SELECT ON TABLE notifications.schema_migration TO polyclinic_notifications;
GRANT SELECT,INSERT ON TABLE notifications.tenant_card TO polyclinic_notifications;
GRANT SELECT,INSERT,DELETE ON TABLE notifications.tenant_wrapping_key TO polyclinic_notifications;
GRANT UPDATE(wrapped) ON TABLE notifications.tenant_wrapping_key TO polyclinic_notifications;
