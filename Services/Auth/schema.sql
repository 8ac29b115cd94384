CREATE SCHEMA auth;
CREATE DOMAIN auth.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION auth.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION auth.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'auth', 'public'
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
CREATE FUNCTION auth.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION auth.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION auth.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'auth', 'public'
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
CREATE FUNCTION auth.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'auth', 'public'
    AS $$select outbox_tell()$$;
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
    password_stands_alone boolean DEFAULT true NOT NULL,
    password_expires_at timestamp with time zone,
    CONSTRAINT account_has_a_role CHECK ((cardinality(roles) > 0)),
    CONSTRAINT account_patient_has_a_record CHECK (((NOT ('patient'::text = ANY (roles))) OR (patient_id IS NOT NULL)))
);
ALTER TABLE ONLY auth.account FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.allowed_origin (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    client_id uuid,
    origin text NOT NULL,
    CONSTRAINT allowed_origin_plain CHECK ((origin ~ '^https?://[!-.0-~]+$'::text))
);
CREATE TABLE auth.authorization_code (
    hash bytea NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    client_id uuid NOT NULL,
    account_id uuid NOT NULL,
    browser_session_id uuid NOT NULL,
    session_id uuid NOT NULL,
    redirect_uri text NOT NULL,
    scopes text[] NOT NULL,
    services text[] NOT NULL,
    nonce text,
    challenge text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    redeemed_at timestamp with time zone
);
ALTER TABLE ONLY auth.authorization_code FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.browser_session (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    hash bytea NOT NULL,
    account_id uuid NOT NULL,
    shown_at timestamp with time zone NOT NULL,
    shown text[] NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
ALTER TABLE ONLY auth.browser_session FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.client (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea,
    redirect_uris text[] NOT NULL,
    post_logout_uris text[] NOT NULL,
    grant_types text[] NOT NULL,
    scopes text[] NOT NULL,
    roles text[] NOT NULL,
    location_id uuid NOT NULL,
    asks_consent boolean NOT NULL,
    is_pairwise boolean NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    subject_key bytea,
    CONSTRAINT client_code_has_an_address CHECK (((cardinality(redirect_uris) > 0) OR (NOT ('authorization_code'::text = ANY (grant_types))))),
    CONSTRAINT client_machine_has_a_role CHECK (((cardinality(roles) > 0) OR (NOT ('client_credentials'::text = ANY (grant_types))))),
    CONSTRAINT client_machine_has_a_secret CHECK (((secret_hash IS NOT NULL) OR (NOT ('client_credentials'::text = ANY (grant_types)))))
);
ALTER TABLE ONLY auth.client FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.client_consent (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    client_id uuid NOT NULL,
    scopes text[] NOT NULL,
    agreed_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY auth.client_consent FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.client_tenant (
    client_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL
);
CREATE TABLE auth.contact_request (
    id uuid NOT NULL,
    purpose text NOT NULL,
    sealed bytea NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    used_at timestamp with time zone,
    CONSTRAINT contact_request_purpose_known CHECK ((purpose = ANY (ARRAY['sign_up'::text, 'reset'::text, 'change'::text, 'notice'::text]))),
    CONSTRAINT contact_request_tries CHECK (((tries >= 0) AND (tries <= 5)))
);
CREATE TABLE auth.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY auth.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.idempotency (
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
CREATE TABLE auth.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE auth.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE auth.licence (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    details bytea NOT NULL,
    valid_until date NOT NULL,
    status text NOT NULL,
    submitted_at timestamp with time zone,
    decided_at timestamp with time zone,
    decided_by uuid,
    version integer DEFAULT 1 NOT NULL,
    in_force_until date,
    opened_at timestamp with time zone,
    seen text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT licence_decided_by_another CHECK (((decided_by IS NULL) OR (decided_by <> account_id))),
    CONSTRAINT licence_decision_has_a_judge CHECK (((status = ANY (ARRAY['verified'::text, 'rejected'::text])) = (decided_by IS NOT NULL))),
    CONSTRAINT licence_seen_whole CHECK (((seen = '{}'::text[]) OR (seen @> ARRAY['licence'::text, 'identity'::text]))),
    CONSTRAINT licence_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'verified'::text, 'rejected'::text]))),
    CONSTRAINT licence_verified_is_in_force CHECK (((status <> 'verified'::text) OR (in_force_until IS NOT NULL)))
);
ALTER TABLE ONLY auth.licence FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.licence_document (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL,
    uploaded_at timestamp with time zone NOT NULL,
    CONSTRAINT licence_document_kind_known CHECK ((kind = ANY (ARRAY['licence'::text, 'identity'::text]))),
    CONSTRAINT licence_document_size CHECK (((size >= 1) AND (size <= 524288)))
);
ALTER TABLE ONLY auth.licence_document FORCE ROW LEVEL SECURITY;
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
CREATE TABLE auth.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE auth.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME auth.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE auth.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME auth.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE auth.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE auth.passkey (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    credential_id bytea NOT NULL,
    algorithm integer NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT passkey_algorithm_known CHECK ((algorithm = ANY (ARRAY['-7'::integer, '-8'::integer]))),
    CONSTRAINT passkey_sizes CHECK ((((octet_length(credential_id) >= 1) AND (octet_length(credential_id) <= 1023)) AND (octet_length(public_key) <= 65)))
);
ALTER TABLE ONLY auth.passkey FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.proxy_grant (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    relation text NOT NULL,
    proof text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    granted_by uuid NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    last_day bytea,
    CONSTRAINT proxy_grant_by_another CHECK ((granted_by <> account_id)),
    CONSTRAINT proxy_grant_in_order CHECK (((valid_until IS NULL) OR (valid_until >= valid_from))),
    CONSTRAINT proxy_grant_last_day_sealed CHECK (((last_day IS NULL) OR ((EXTRACT(month FROM valid_until) = (12)::numeric) AND (EXTRACT(day FROM valid_until) = (31)::numeric)))),
    CONSTRAINT proxy_grant_proof_known CHECK ((proof = ANY (ARRAY['patient_consent'::text, 'birth_certificate'::text, 'court_order'::text, 'power_of_attorney'::text, 'identity_seen'::text]))),
    CONSTRAINT proxy_grant_relation_known CHECK ((relation = ANY (ARRAY['parent'::text, 'guardian'::text, 'spouse'::text, 'child'::text, 'carer'::text, 'other'::text]))),
    CONSTRAINT proxy_grant_revoked_by_somebody CHECK (((revoked_at IS NULL) = (revoked_by IS NULL)))
);
ALTER TABLE ONLY auth.proxy_grant FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.recovery_code (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    hash bytea NOT NULL,
    used_at timestamp with time zone
);
ALTER TABLE ONLY auth.recovery_code FORCE ROW LEVEL SECURITY;
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
CREATE TABLE auth.revoked_session (
    session_id uuid NOT NULL,
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
CREATE TABLE auth.security_policy (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    staff_mfa text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT security_policy_mfa_known CHECK ((staff_mfa = ANY (ARRAY['required'::text, 'optional'::text])))
);
ALTER TABLE ONLY auth.security_policy FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.session (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    client_id uuid,
    scopes text[] DEFAULT '{}'::text[] NOT NULL,
    services text[] DEFAULT '{}'::text[] NOT NULL,
    browser_session_id uuid,
    authenticated_at timestamp with time zone,
    assurance text DEFAULT 'aal1'::text NOT NULL,
    CONSTRAINT session_assurance_known CHECK ((assurance = ANY (ARRAY['enrolling'::text, 'aal1'::text, 'aal2'::text]))),
    CONSTRAINT session_end_has_a_reason CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT session_end_reason_word CHECK ((end_reason ~ '^[a-z_]{3,40}$'::text)),
    CONSTRAINT session_ends_after_it_starts CHECK ((expires_at > started_at))
);
ALTER TABLE ONLY auth.session FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.sign_in_attempt (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    client_id uuid NOT NULL,
    browser bytea NOT NULL,
    redirect_uri text NOT NULL,
    scopes text[] NOT NULL,
    services text[] NOT NULL,
    state text,
    nonce text,
    challenge text NOT NULL,
    account_id uuid,
    shown text[] DEFAULT '{}'::text[] NOT NULL,
    shown_at timestamp with time zone,
    asks_anew boolean NOT NULL,
    agreed boolean DEFAULT false NOT NULL,
    browser_session_id uuid,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY auth.sign_in_attempt FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.spent_challenge (
    hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
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
CREATE TABLE auth.tenant_setting (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    access_token_seconds integer NOT NULL,
    staff_session_seconds integer NOT NULL,
    patient_session_seconds integer NOT NULL,
    redirect_origins text[] NOT NULL,
    consent_required boolean NOT NULL,
    grant_types text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    staff_idle_seconds integer DEFAULT 1800 NOT NULL,
    CONSTRAINT tenant_setting_access_bounded CHECK (((access_token_seconds >= 60) AND (access_token_seconds <= 900))),
    CONSTRAINT tenant_setting_idle_bounded CHECK (((staff_idle_seconds >= 300) AND (staff_idle_seconds <= 86400))),
    CONSTRAINT tenant_setting_patient_bounded CHECK (((patient_session_seconds >= 900) AND (patient_session_seconds <= 7776000))),
    CONSTRAINT tenant_setting_staff_bounded CHECK (((staff_session_seconds >= 900) AND (staff_session_seconds <= 86400)))
);
ALTER TABLE ONLY auth.tenant_setting FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY auth.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
CREATE TABLE auth.totp (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    secret bytea NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT totp_failures_counted CHECK (((failures >= 0) AND (failures <= 1000000)))
);
ALTER TABLE ONLY auth.totp FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY auth.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.allowed_origin
    ADD CONSTRAINT allowed_origin_once UNIQUE NULLS NOT DISTINCT (tenant_id, client_id, origin);
ALTER TABLE ONLY auth.authorization_code
    ADD CONSTRAINT authorization_code_once PRIMARY KEY (tenant_id, hash);
ALTER TABLE ONLY auth.browser_session
    ADD CONSTRAINT browser_session_once UNIQUE (tenant_id, hash);
ALTER TABLE ONLY auth.browser_session
    ADD CONSTRAINT browser_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.client_consent
    ADD CONSTRAINT client_consent_once PRIMARY KEY (account_id, client_id);
ALTER TABLE ONLY auth.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.client_tenant
    ADD CONSTRAINT client_tenant_pkey PRIMARY KEY (client_id);
ALTER TABLE ONLY auth.contact_request
    ADD CONSTRAINT contact_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY auth.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY auth.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY auth.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY auth.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY auth.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.licence_document
    ADD CONSTRAINT licence_document_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.licence
    ADD CONSTRAINT licence_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY auth.location
    ADD CONSTRAINT location_named_once UNIQUE (tenant_id, name);
ALTER TABLE ONLY auth.location
    ADD CONSTRAINT location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.login
    ADD CONSTRAINT login_email_once PRIMARY KEY (email_index);
ALTER TABLE ONLY auth.login_failure
    ADD CONSTRAINT login_failure_pkey PRIMARY KEY (key);
ALTER TABLE ONLY auth.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY auth.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.passkey
    ADD CONSTRAINT passkey_credential_once UNIQUE (tenant_id, credential_id);
ALTER TABLE ONLY auth.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (id);
ALTER TABLE auth.proxy_grant
    ADD CONSTRAINT proxy_grant_of_a_child_has_an_end CHECK ((((relation <> ALL (ARRAY['parent'::text, 'guardian'::text])) AND (proof <> 'birth_certificate'::text)) OR ((valid_until IS NOT NULL) AND (valid_until <= make_date((EXTRACT(year FROM (valid_from + 6575)))::integer, 12, 31))) OR (revoked_at IS NOT NULL))) NOT VALID;
ALTER TABLE ONLY auth.proxy_grant
    ADD CONSTRAINT proxy_grant_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.recovery_code
    ADD CONSTRAINT recovery_code_once PRIMARY KEY (account_id, hash);
ALTER TABLE ONLY auth.refresh_token
    ADD CONSTRAINT refresh_token_once PRIMARY KEY (tenant_id, hash);
ALTER TABLE ONLY auth.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY auth.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY auth.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY auth.security_policy
    ADD CONSTRAINT security_policy_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.sign_in_attempt
    ADD CONSTRAINT sign_in_attempt_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.spent_challenge
    ADD CONSTRAINT spent_challenge_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY auth.tenant_key
    ADD CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.tenant
    ADD CONSTRAINT tenant_named_once UNIQUE (name);
ALTER TABLE ONLY auth.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.tenant_setting
    ADD CONSTRAINT tenant_setting_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY auth.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
ALTER TABLE ONLY auth.totp
    ADD CONSTRAINT totp_pkey PRIMARY KEY (account_id);
CREATE INDEX account_of_tenant ON auth.account USING btree (tenant_id, id);
CREATE INDEX authorization_code_over ON auth.authorization_code USING btree (tenant_id, expires_at);
CREATE INDEX browser_session_over ON auth.browser_session USING btree (tenant_id, expires_at);
CREATE INDEX client_of_tenant ON auth.client USING btree (tenant_id, id);
CREATE INDEX contact_request_old ON auth.contact_request USING btree (expires_at);
CREATE INDEX contact_request_unsent ON auth.contact_request USING btree (next_at) WHERE (settled_at IS NULL);
CREATE INDEX data_key_of_tenant ON auth.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON auth.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON auth.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON auth.inbox USING btree (received_at);
CREATE INDEX licence_document_of_account ON auth.licence_document USING btree (tenant_id, account_id, id);
CREATE INDEX login_account ON auth.login USING btree (account_id);
CREATE INDEX login_failure_old ON auth.login_failure USING btree (last_at);
CREATE UNIQUE INDEX outbox_fact_once ON auth.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON auth.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON auth.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX passkey_of_account ON auth.passkey USING btree (tenant_id, account_id);
CREATE INDEX proxy_grant_of_patient ON auth.proxy_grant USING btree (tenant_id, patient_id) WHERE (revoked_at IS NULL);
CREATE UNIQUE INDEX proxy_grant_one_living ON auth.proxy_grant USING btree (tenant_id, account_id, patient_id) WHERE (revoked_at IS NULL);
CREATE INDEX proxy_grant_unsealed ON auth.proxy_grant USING btree (tenant_id) WHERE ((valid_until IS NOT NULL) AND (last_day IS NULL));
CREATE INDEX refresh_token_of_session ON auth.refresh_token USING btree (session_id);
CREATE UNIQUE INDEX refresh_token_one_live ON auth.refresh_token USING btree (tenant_id, session_id) WHERE (rotated_at IS NULL);
CREATE INDEX revoked_session_expired ON auth.revoked_session USING btree (expires_at);
CREATE INDEX session_live ON auth.session USING btree (tenant_id, account_id) WHERE (ended_at IS NULL);
CREATE INDEX session_of_browser ON auth.session USING btree (browser_session_id) WHERE ((ended_at IS NULL) AND (browser_session_id IS NOT NULL));
CREATE INDEX session_of_client ON auth.session USING btree (client_id) WHERE ((ended_at IS NULL) AND (client_id IS NOT NULL));
CREATE INDEX session_over ON auth.session USING btree (tenant_id, expires_at);
CREATE INDEX sign_in_attempt_over ON auth.sign_in_attempt USING btree (tenant_id, expires_at);
CREATE INDEX spent_challenge_old ON auth.spent_challenge USING btree (expires_at);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON auth.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION auth.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON auth.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION auth.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON auth.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION auth.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON auth.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION auth.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON auth.outbox FOR EACH STATEMENT EXECUTE FUNCTION auth.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON auth.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION auth.outbox_note_sent();
ALTER TABLE ONLY auth.account
    ADD CONSTRAINT account_location_id_fkey FOREIGN KEY (location_id) REFERENCES auth.location(id);
ALTER TABLE ONLY auth.authorization_code
    ADD CONSTRAINT authorization_code_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.authorization_code
    ADD CONSTRAINT authorization_code_browser_session_id_fkey FOREIGN KEY (browser_session_id) REFERENCES auth.browser_session(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.authorization_code
    ADD CONSTRAINT authorization_code_client_id_fkey FOREIGN KEY (client_id) REFERENCES auth.client(id);
ALTER TABLE ONLY auth.browser_session
    ADD CONSTRAINT browser_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.client_consent
    ADD CONSTRAINT client_consent_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.client_consent
    ADD CONSTRAINT client_consent_client_id_fkey FOREIGN KEY (client_id) REFERENCES auth.client(id);
ALTER TABLE ONLY auth.client
    ADD CONSTRAINT client_location_id_fkey FOREIGN KEY (location_id) REFERENCES auth.location(id);
ALTER TABLE ONLY auth.licence
    ADD CONSTRAINT licence_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.licence_document
    ADD CONSTRAINT licence_document_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.passkey
    ADD CONSTRAINT passkey_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.proxy_grant
    ADD CONSTRAINT proxy_grant_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.recovery_code
    ADD CONSTRAINT recovery_code_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.refresh_token
    ADD CONSTRAINT refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth.session(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.session
    ADD CONSTRAINT session_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.session
    ADD CONSTRAINT session_client_id_fkey FOREIGN KEY (client_id) REFERENCES auth.client(id);
ALTER TABLE ONLY auth.sign_in_attempt
    ADD CONSTRAINT sign_in_attempt_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE ONLY auth.sign_in_attempt
    ADD CONSTRAINT sign_in_attempt_browser_session_id_fkey FOREIGN KEY (browser_session_id) REFERENCES auth.browser_session(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.sign_in_attempt
    ADD CONSTRAINT sign_in_attempt_client_id_fkey FOREIGN KEY (client_id) REFERENCES auth.client(id);
ALTER TABLE ONLY auth.totp
    ADD CONSTRAINT totp_account_id_fkey FOREIGN KEY (account_id) REFERENCES auth.account(id);
ALTER TABLE auth.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_of_tenant ON auth.account USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.authorization_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY authorization_code_of_tenant ON auth.authorization_code USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.browser_session ENABLE ROW LEVEL SECURITY;
CREATE POLICY browser_session_of_tenant ON auth.browser_session USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.client ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.client_consent ENABLE ROW LEVEL SECURITY;
CREATE POLICY client_consent_of_tenant ON auth.client_consent USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY client_of_tenant ON auth.client USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON auth.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON auth.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.licence ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.licence_document ENABLE ROW LEVEL SECURITY;
CREATE POLICY licence_document_of_tenant ON auth.licence_document USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY licence_of_tenant ON auth.licence USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.location ENABLE ROW LEVEL SECURITY;
CREATE POLICY location_of_tenant ON auth.location USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.passkey ENABLE ROW LEVEL SECURITY;
CREATE POLICY passkey_of_tenant ON auth.passkey USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.proxy_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY proxy_grant_of_tenant ON auth.proxy_grant USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.recovery_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY recovery_code_of_tenant ON auth.recovery_code USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.refresh_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY refresh_token_of_tenant ON auth.refresh_token USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.security_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY security_policy_of_tenant ON auth.security_policy USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.session ENABLE ROW LEVEL SECURITY;
CREATE POLICY session_of_tenant ON auth.session USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.sign_in_attempt ENABLE ROW LEVEL SECURITY;
CREATE POLICY sign_in_attempt_of_tenant ON auth.sign_in_attempt USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.tenant_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_key_of_tenant ON auth.tenant_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.tenant_setting ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_setting_of_tenant ON auth.tenant_setting USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON auth.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE auth.totp ENABLE ROW LEVEL SECURITY;
CREATE POLICY totp_of_tenant ON auth.totp USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA auth TO polyclinic_auth;
REVOKE ALL ON FUNCTION auth.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION auth.outbox_tell() TO polyclinic_auth;
REVOKE ALL ON FUNCTION auth.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION auth.outbox_tell(service text) TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.account TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.allowed_origin TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.authorization_code TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.browser_session TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.client TO polyclinic_auth;
GRANT UPDATE(subject_key) ON TABLE auth.client TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.client_consent TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.client_tenant TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.contact_request TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.data_key TO polyclinic_auth;
GRANT UPDATE(wrapped) ON TABLE auth.data_key TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.idempotency TO polyclinic_auth;
GRANT UPDATE(answer) ON TABLE auth.idempotency TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.inbox TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.inbox_revision TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.isolation TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.keyed_tenant TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.licence TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.licence_document TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.location TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.login TO polyclinic_auth;
GRANT UPDATE(email_index) ON TABLE auth.login TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.login_failure TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.outbox TO polyclinic_auth;
GRANT UPDATE(published_at) ON TABLE auth.outbox TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.passkey TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.proxy_grant TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.recovery_code TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.refresh_token TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.revoked_account TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.revoked_session TO polyclinic_auth;
GRANT SELECT ON TABLE auth.schema_migration TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.security_policy TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.session TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.sign_in_attempt TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.spent_challenge TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.tenant TO polyclinic_auth;
GRANT SELECT,INSERT ON TABLE auth.tenant_key TO polyclinic_auth;
GRANT UPDATE(wrapped) ON TABLE auth.tenant_key TO polyclinic_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE auth.tenant_setting TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE ON TABLE auth.tenant_wrapping_key TO polyclinic_auth;
GRANT UPDATE(wrapped) ON TABLE auth.tenant_wrapping_key TO polyclinic_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.totp TO polyclinic_auth;
