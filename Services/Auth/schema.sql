CREATE SCHEMA auth;
CREATE TABLE auth.account (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name bytea NOT NULL,
    email bytea NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL,
    location_id uuid NOT NULL,
    patient_id uuid,
    active boolean DEFAULT true NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT account_has_a_role CHECK ((cardinality(roles) > 0)),
    CONSTRAINT account_patient_has_a_record CHECK (((NOT ('patient'::text = ANY (roles))) OR (patient_id IS NOT NULL)))
);
ALTER TABLE ONLY auth.account FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.idempotency (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '48:00:00'::interval) NOT NULL,
    CONSTRAINT idempotency_key_short CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);
ALTER TABLE ONLY auth.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE auth.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE auth.location (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    currency character(3) NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    opened_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY auth.location FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.login (
    email_index bytea NOT NULL,
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL
);
CREATE TABLE auth.login_failure (
    key bytea NOT NULL,
    failures integer NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT login_failure_counts CHECK (((failures >= 0) AND (failures <= 1000000)))
);
CREATE TABLE auth.outbox (
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
ALTER TABLE auth.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME auth.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE auth.refresh_token (
    hash bytea NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    rotated_at timestamp with time zone
);
ALTER TABLE ONLY auth.refresh_token FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE auth.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE auth.session (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    CONSTRAINT session_end_has_a_reason CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT session_end_reason_known CHECK ((end_reason = ANY (ARRAY['signed_out'::text, 'token_reused'::text, 'deactivated'::text, 'roles_changed'::text, 'password_changed'::text]))),
    CONSTRAINT session_ends_after_it_starts CHECK ((expires_at > started_at))
);
ALTER TABLE ONLY auth.session FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.tenant (
    id uuid NOT NULL,
    name text NOT NULL,
    opened_at timestamp with time zone NOT NULL
);
CREATE TABLE auth.tenant_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY auth.tenant_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY auth.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY auth.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY auth.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY auth.location
    ADD CONSTRAINT location_named_once UNIQUE (tenant_id, name);
ALTER TABLE ONLY auth.location
    ADD CONSTRAINT location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.login
    ADD CONSTRAINT login_account_once UNIQUE (account_id);
ALTER TABLE ONLY auth.login
    ADD CONSTRAINT login_email_once PRIMARY KEY (email_index);
ALTER TABLE ONLY auth.login_failure
    ADD CONSTRAINT login_failure_pkey PRIMARY KEY (key);
ALTER TABLE ONLY auth.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.refresh_token
    ADD CONSTRAINT refresh_token_once PRIMARY KEY (tenant_id, hash);
ALTER TABLE ONLY auth.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY auth.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY auth.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.tenant_key
    ADD CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.tenant
    ADD CONSTRAINT tenant_named_once UNIQUE (name);
ALTER TABLE ONLY auth.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);
CREATE INDEX account_of_tenant ON auth.account USING btree (tenant_id, id);
CREATE INDEX idempotency_expired ON auth.idempotency USING btree (expires_at);
CREATE INDEX inbox_received ON auth.inbox USING btree (received_at);
CREATE INDEX login_failure_old ON auth.login_failure USING btree (last_at);
CREATE UNIQUE INDEX outbox_fact_once ON auth.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON auth.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON auth.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX refresh_token_of_session ON auth.refresh_token USING btree (session_id);
CREATE UNIQUE INDEX refresh_token_one_live ON auth.refresh_token USING btree (tenant_id, session_id) WHERE (rotated_at IS NULL);
CREATE INDEX session_live ON auth.session USING btree (tenant_id, account_id) WHERE (ended_at IS NULL);
CREATE INDEX session_over ON auth.session USING btree (tenant_id, expires_at);
ALTER TABLE ONLY auth.account
    ADD CONSTRAINT account_location_id_fkey FOREIGN KEY (location_id) REFERENCES auth.location(id);
ALTER TABLE ONLY auth.refresh_token
    ADD CONSTRAINT refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth.session(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.session
    ADD CONSTRAINT session_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE auth.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_of_tenant ON auth.account USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON auth.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.location ENABLE ROW LEVEL SECURITY;
CREATE POLICY location_of_tenant ON auth.location USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.refresh_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY refresh_token_of_tenant ON auth.refresh_token USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.session ENABLE ROW LEVEL SECURITY;
CREATE POLICY session_of_tenant ON auth.session USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.tenant_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_key_of_tenant ON auth.tenant_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA auth TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.account TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.idempotency TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.inbox TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.inbox_revision TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.location TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.login TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.login_failure TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.outbox TO polyclinic_auth;
GRANT UPDATE(published_at) ON TABLE auth.outbox TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.refresh_token TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.revoked_account TO polyclinic_auth;
GRANT SELECT ON TABLE auth.schema_migration TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.session TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.tenant TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.tenant_key TO polyclinic_auth;
