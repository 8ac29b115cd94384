CREATE SCHEMA reporting;
CREATE DOMAIN reporting.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION reporting.audit_append(ids uuid[], ats timestamp with time zone[], actors uuid[], roles text[], services text[], actions text[], resources text[], resource_ids text[], alloweds boolean[], befores jsonb[], afters jsonb[], traces text[], patients uuid[], purposes text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reporting', 'public'
    AS $$
declare
    tenant constant uuid := current_setting('app.tenant')::uuid;
    last   audit_head;
    newest audit_head;
begin
    insert into audit_head (tenant_id, size, head) values (tenant, 0, sha256('')) on conflict do nothing;
    if found then
        insert into tenant_card (tenant_id) values (tenant) on conflict do nothing;
    end if;
    select * into strict last from audit_head where tenant_id = tenant for update;
    with recorded as (
        select distinct on (r.id) r.*
        from unnest(ids, ats, actors, roles, services, actions, resources, resource_ids, alloweds, befores, afters, traces,
                    patients, purposes) with ordinality
            as r (id, at, actor_id, role, service, action, resource, resource_id, allowed, before, after, trace, patient_id,
                  purpose, place)
        where not exists (select from audit_entry e where e.id = r.id)
        order by r.id, r.place
    ), fresh as (
        select row(r.id, tenant, r.at, r.actor_id, r.role, r.service, r.action, r.resource, r.resource_id, r.allowed,
                   r.before, r.after, r.trace, r.patient_id, r.purpose,
                   last.size + row_number() over (order by r.place), null)::audit_entry as e
        from recorded r
    ), added as (
        insert into audit_entry
        select (e).id, (e).tenant_id, (e).at, (e).actor_id, (e).role, (e).service, (e).action, (e).resource, (e).resource_id,
            (e).allowed, (e).before, (e).after, (e).trace, (e).patient_id, (e).purpose, (e).seq,
            audit_chained(last.head, audit_canonical(e)) over (order by (e).seq)
        from fresh
        returning seq, hash
    )
    select tenant, seq, hash into newest from added order by seq desc limit 1;
    if not found then
        return 0;
    end if;
    update audit_head set size = newest.size, head = newest.head where tenant_id = tenant;
    return newest.size - last.size;
end $$;
CREATE TABLE reporting.audit_entry (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_id uuid,
    role text NOT NULL,
    service text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    resource_id text NOT NULL,
    allowed boolean NOT NULL,
    before jsonb,
    after jsonb,
    trace text NOT NULL,
    patient_id uuid,
    purpose text,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
ALTER TABLE ONLY reporting.audit_entry FORCE ROW LEVEL SECURITY;
CREATE FUNCTION reporting.audit_canonical(e reporting.audit_entry) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_array(e.seq, e.id, e.tenant_id, (extract(epoch from e.at) * 1000000)::bigint, e.actor_id, e.role,
        e.service, e.action, e.resource, e.resource_id, e.allowed, e.before, e.after, e.trace, e.patient_id,
        e.purpose)::text
$$;
CREATE FUNCTION reporting.audit_link(so_far bytea, head bytea, canonical text) RETURNS bytea
    LANGUAGE plpgsql STABLE
    AS $$
begin
    return sha256(coalesce(so_far, head) || convert_to(canonical, 'UTF8'));
end $$;
CREATE FUNCTION reporting.audit_list() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reporting', 'public'
    AS $_$
begin
    insert into audit_listed (tenant_id, patient_id, at, entry_id)
    select new.tenant_id, listed::uuid, new.at, new.id from jsonb_array_elements_text(new.after -> 'patients') as listed
    where listed ~ '^[0-9a-f-]{36}$'
    on conflict do nothing;
    return null;
end $_$;
CREATE FUNCTION reporting.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'an audit trail is not changed' using errcode = 'insufficient_privilege', table = tg_table_name;
end $$;
CREATE FUNCTION reporting.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION reporting.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reporting', 'public'
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
CREATE FUNCTION reporting.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION reporting.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION reporting.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'reporting', 'public'
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
CREATE FUNCTION reporting.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'reporting', 'public'
    AS $$select outbox_tell()$$;
CREATE AGGREGATE reporting.audit_chained(head bytea, canonical text) (
    SFUNC = reporting.audit_link,
    STYPE = bytea
);
CREATE TABLE reporting.audit_checkpoint (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    size bigint NOT NULL,
    head bytea NOT NULL,
    at timestamp with time zone NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL
);
ALTER TABLE ONLY reporting.audit_checkpoint FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.audit_facts_sent (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    service text NOT NULL,
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    ids uuid[] NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY reporting.audit_facts_sent FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.audit_head (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    size bigint NOT NULL,
    head bytea NOT NULL,
    CONSTRAINT audit_head_size_counts CHECK ((size >= 0))
);
ALTER TABLE ONLY reporting.audit_head FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.audit_listed (
    tenant_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    entry_id uuid NOT NULL
);
ALTER TABLE ONLY reporting.audit_listed FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.daily_patient (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    local_date date NOT NULL,
    patient_id uuid NOT NULL
);
ALTER TABLE ONLY reporting.daily_patient FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.daily_summary (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    local_date date NOT NULL,
    patients_registered bigint DEFAULT 0 NOT NULL,
    patients_seen bigint DEFAULT 0 NOT NULL,
    visits_started bigint DEFAULT 0 NOT NULL,
    visits_completed bigint DEFAULT 0 NOT NULL,
    appointments_booked bigint DEFAULT 0 NOT NULL,
    appointments_cancelled bigint DEFAULT 0 NOT NULL,
    tokens_issued bigint DEFAULT 0 NOT NULL,
    tokens_completed bigint DEFAULT 0 NOT NULL,
    invoices_issued bigint DEFAULT 0 NOT NULL,
    items_dispensed bigint DEFAULT 0 NOT NULL,
    prescriptions_dispensed bigint DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY reporting.daily_summary FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.daily_takings (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    local_date date NOT NULL,
    method text NOT NULL,
    currency character(3) NOT NULL,
    count bigint DEFAULT 0 NOT NULL,
    amount bigint DEFAULT 0 NOT NULL
);
ALTER TABLE ONLY reporting.daily_takings FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY reporting.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.idempotency (
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
ALTER TABLE ONLY reporting.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE reporting.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE reporting.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE reporting.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE reporting.outbox (
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
CREATE TABLE reporting.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE reporting.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME reporting.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE reporting.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME reporting.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE reporting.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE reporting.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE reporting.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE reporting.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE reporting.staff_card (
    account_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text,
    revision integer NOT NULL
);
ALTER TABLE ONLY reporting.staff_card FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.stock_movement (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    batch_id uuid NOT NULL,
    medicine_id uuid NOT NULL,
    kind text NOT NULL,
    delta bigint NOT NULL,
    on_hand bigint NOT NULL,
    actor_id uuid,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL
);
ALTER TABLE ONLY reporting.stock_movement FORCE ROW LEVEL SECURITY;
CREATE TABLE reporting.tenant_card (
    tenant_id uuid NOT NULL
);
CREATE TABLE reporting.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY reporting.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY reporting.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_once PRIMARY KEY (tenant_id, size);
ALTER TABLE ONLY reporting.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY reporting.audit_facts_sent
    ADD CONSTRAINT audit_facts_sent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY reporting.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY reporting.audit_listed
    ADD CONSTRAINT audit_listed_once PRIMARY KEY (tenant_id, patient_id, at, entry_id);
ALTER TABLE ONLY reporting.daily_patient
    ADD CONSTRAINT daily_patient_pkey PRIMARY KEY (tenant_id, local_date, patient_id);
ALTER TABLE ONLY reporting.daily_summary
    ADD CONSTRAINT daily_summary_pkey PRIMARY KEY (tenant_id, local_date);
ALTER TABLE ONLY reporting.daily_takings
    ADD CONSTRAINT daily_takings_pkey PRIMARY KEY (tenant_id, local_date, method, currency);
ALTER TABLE ONLY reporting.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY reporting.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY reporting.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY reporting.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY reporting.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY reporting.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY reporting.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY reporting.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY reporting.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY reporting.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY reporting.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY reporting.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY reporting.staff_card
    ADD CONSTRAINT staff_card_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY reporting.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (id);
ALTER TABLE ONLY reporting.tenant_card
    ADD CONSTRAINT tenant_card_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY reporting.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
CREATE UNIQUE INDEX audit_entry_chained ON reporting.audit_entry USING btree (tenant_id, seq);
CREATE INDEX audit_entry_newest ON reporting.audit_entry USING btree (tenant_id, at, id);
CREATE INDEX audit_entry_of_actor ON reporting.audit_entry USING btree (actor_id, at) WHERE (actor_id IS NOT NULL);
CREATE INDEX audit_entry_of_patient ON reporting.audit_entry USING btree (patient_id, at) WHERE (patient_id IS NOT NULL);
CREATE INDEX audit_entry_of_resource ON reporting.audit_entry USING btree (resource_id, at);
CREATE INDEX audit_facts_sent_in_order ON reporting.audit_facts_sent USING btree (tenant_id, service, number);
CREATE INDEX data_key_of_tenant ON reporting.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON reporting.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON reporting.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON reporting.inbox USING btree (received_at);
CREATE UNIQUE INDEX outbox_fact_once ON reporting.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON reporting.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON reporting.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX revoked_session_expired ON reporting.revoked_session USING btree (expires_at);
CREATE INDEX stock_movement_newest ON reporting.stock_movement USING btree (tenant_id, id DESC);
CREATE INDEX stock_movement_of_medicine ON reporting.stock_movement USING btree (tenant_id, medicine_id, id DESC);
CREATE TRIGGER audit_checkpoint_kept BEFORE DELETE OR UPDATE ON reporting.audit_checkpoint FOR EACH ROW EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_checkpoint_not_emptied BEFORE TRUNCATE ON reporting.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_entry_kept BEFORE DELETE OR UPDATE ON reporting.audit_entry FOR EACH ROW EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_entry_list AFTER INSERT ON reporting.audit_entry FOR EACH ROW WHEN ((jsonb_typeof((new.after -> 'patients'::text)) = 'array'::text)) EXECUTE FUNCTION reporting.audit_list();
CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON reporting.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_facts_sent_kept BEFORE DELETE OR UPDATE ON reporting.audit_facts_sent FOR EACH ROW EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_facts_sent_not_emptied BEFORE TRUNCATE ON reporting.audit_facts_sent FOR EACH STATEMENT EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_listed_kept BEFORE DELETE OR UPDATE ON reporting.audit_listed FOR EACH ROW EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER audit_listed_not_emptied BEFORE TRUNCATE ON reporting.audit_listed FOR EACH STATEMENT EXECUTE FUNCTION reporting.audit_refuse();
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON reporting.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION reporting.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON reporting.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION reporting.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON reporting.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION reporting.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON reporting.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION reporting.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON reporting.outbox FOR EACH STATEMENT EXECUTE FUNCTION reporting.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON reporting.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION reporting.outbox_note_sent();
ALTER TABLE ONLY reporting.audit_listed
    ADD CONSTRAINT audit_listed_entry FOREIGN KEY (entry_id) REFERENCES reporting.audit_entry(id);
ALTER TABLE reporting.audit_checkpoint ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_checkpoint_of_tenant ON reporting.audit_checkpoint USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_entry_of_tenant ON reporting.audit_entry USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.audit_facts_sent ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_facts_sent_of_tenant ON reporting.audit_facts_sent USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.audit_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_head_of_tenant ON reporting.audit_head USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.audit_listed ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_listed_of_tenant ON reporting.audit_listed USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.daily_patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY daily_patient_of_tenant ON reporting.daily_patient USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.daily_summary ENABLE ROW LEVEL SECURITY;
CREATE POLICY daily_summary_of_tenant ON reporting.daily_summary USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.daily_takings ENABLE ROW LEVEL SECURITY;
CREATE POLICY daily_takings_of_tenant ON reporting.daily_takings USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON reporting.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON reporting.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.staff_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff_card_of_tenant ON reporting.staff_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.stock_movement ENABLE ROW LEVEL SECURITY;
CREATE POLICY stock_movement_of_tenant ON reporting.stock_movement USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE reporting.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON reporting.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA reporting TO polyclinic_reporting;
REVOKE ALL ON FUNCTION reporting.audit_append(ids uuid[], ats timestamp with time zone[], actors uuid[], roles text[], services text[], actions text[], resources text[], resource_ids text[], alloweds boolean[], befores jsonb[], afters jsonb[], traces text[], patients uuid[], purposes text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION reporting.audit_append(ids uuid[], ats timestamp with time zone[], actors uuid[], roles text[], services text[], actions text[], resources text[], resource_ids text[], alloweds boolean[], befores jsonb[], afters jsonb[], traces text[], patients uuid[], purposes text[]) TO polyclinic_reporting;
GRANT SELECT ON TABLE reporting.audit_entry TO polyclinic_reporting;
REVOKE ALL ON FUNCTION reporting.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION reporting.outbox_tell() TO polyclinic_reporting;
REVOKE ALL ON FUNCTION reporting.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION reporting.outbox_tell(service text) TO polyclinic_reporting;
GRANT SELECT,INSERT ON TABLE reporting.audit_checkpoint TO polyclinic_reporting;
GRANT SELECT,INSERT ON TABLE reporting.audit_facts_sent TO polyclinic_reporting;
GRANT SELECT ON TABLE reporting.audit_head TO polyclinic_reporting;
GRANT SELECT ON TABLE reporting.audit_listed TO polyclinic_reporting;
GRANT SELECT,INSERT ON TABLE reporting.daily_patient TO polyclinic_reporting;
GRANT SELECT,INSERT,UPDATE ON TABLE reporting.daily_summary TO polyclinic_reporting;
GRANT SELECT,INSERT,UPDATE ON TABLE reporting.daily_takings TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE ON TABLE reporting.data_key TO polyclinic_reporting;
GRANT UPDATE(wrapped) ON TABLE reporting.data_key TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE ON TABLE reporting.idempotency TO polyclinic_reporting;
GRANT UPDATE(answer) ON TABLE reporting.idempotency TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE ON TABLE reporting.inbox TO polyclinic_reporting;
GRANT SELECT,INSERT,UPDATE ON TABLE reporting.inbox_revision TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reporting.isolation TO polyclinic_reporting;
GRANT SELECT,INSERT ON TABLE reporting.keyed_tenant TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE ON TABLE reporting.outbox TO polyclinic_reporting;
GRANT UPDATE(published_at) ON TABLE reporting.outbox TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reporting.revoked_account TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE reporting.revoked_session TO polyclinic_reporting;
GRANT SELECT ON TABLE reporting.schema_migration TO polyclinic_reporting;
GRANT SELECT,INSERT,UPDATE ON TABLE reporting.staff_card TO polyclinic_reporting;
GRANT SELECT,INSERT ON TABLE reporting.stock_movement TO polyclinic_reporting;
GRANT SELECT ON TABLE reporting.tenant_card TO polyclinic_reporting;
GRANT SELECT,INSERT,DELETE ON TABLE reporting.tenant_wrapping_key TO polyclinic_reporting;
GRANT UPDATE(wrapped) ON TABLE reporting.tenant_wrapping_key TO polyclinic_reporting;
