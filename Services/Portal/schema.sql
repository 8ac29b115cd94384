CREATE SCHEMA portal;
CREATE FUNCTION portal.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted' using errcode = 'insufficient_privilege',
        constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE TABLE portal.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY portal.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE portal.idempotency (
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
ALTER TABLE ONLY portal.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE portal.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE portal.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE portal.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE portal.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE portal.outbox (
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
ALTER TABLE portal.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME portal.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE portal.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE portal.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE portal.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE portal.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY portal.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY portal.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY portal.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY portal.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY portal.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY portal.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY portal.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY portal.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY portal.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY portal.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY portal.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY portal.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
CREATE INDEX data_key_of_tenant ON portal.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON portal.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON portal.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON portal.inbox USING btree (received_at);
CREATE UNIQUE INDEX outbox_fact_once ON portal.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON portal.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON portal.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX revoked_session_expired ON portal.revoked_session USING btree (expires_at);
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON portal.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION portal.outbox_refuse();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON portal.outbox FOR EACH STATEMENT EXECUTE FUNCTION portal.outbox_refuse();
ALTER TABLE portal.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON portal.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE portal.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON portal.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE portal.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON portal.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA portal TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE ON TABLE portal.data_key TO polyclinic_portal;
GRANT UPDATE(wrapped) ON TABLE portal.data_key TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE ON TABLE portal.idempotency TO polyclinic_portal;
GRANT UPDATE(answer) ON TABLE portal.idempotency TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE ON TABLE portal.inbox TO polyclinic_portal;
GRANT SELECT,INSERT,UPDATE ON TABLE portal.inbox_revision TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE portal.isolation TO polyclinic_portal;
GRANT SELECT,INSERT ON TABLE portal.keyed_tenant TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE ON TABLE portal.outbox TO polyclinic_portal;
GRANT UPDATE(published_at) ON TABLE portal.outbox TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE portal.revoked_account TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE portal.revoked_session TO polyclinic_portal;
GRANT SELECT ON TABLE portal.schema_migration TO polyclinic_portal;
GRANT SELECT,INSERT,DELETE ON TABLE portal.tenant_wrapping_key TO polyclinic_portal;
GRANT UPDATE(wrapped) ON TABLE portal.tenant_wrapping_key TO polyclinic_portal;
