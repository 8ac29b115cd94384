CREATE SCHEMA pharmacy;
CREATE DOMAIN pharmacy.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION pharmacy.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION pharmacy.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pharmacy', 'public'
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
CREATE FUNCTION pharmacy.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION pharmacy.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION pharmacy.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pharmacy', 'public'
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
CREATE FUNCTION pharmacy.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pharmacy', 'public'
    AS $$select outbox_tell()$$;
CREATE FUNCTION pharmacy.stock_movement_apply() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pharmacy', 'public'
    AS $$
begin
    update batch set on_hand = on_hand + new.delta, version = version + 1
    where id = new.batch_id and medicine_id = new.medicine_id and tenant_id = new.tenant_id
    returning on_hand, version into new.on_hand, new.batch_version;
    if not found then
        raise exception 'the movement names no batch of this medicine'
            using errcode = 'foreign_key_violation', constraint = 'stock_movement_batch_known';
    end if;
    return new;
end
$$;
CREATE TABLE pharmacy.batch (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    medicine_id uuid NOT NULL,
    lot_number text NOT NULL,
    expiry_date date NOT NULL,
    received_at timestamp with time zone NOT NULL,
    supplier text,
    unit_cost bigint,
    currency character(3),
    on_hand bigint DEFAULT 0 NOT NULL,
    quarantined boolean DEFAULT false NOT NULL,
    version integer DEFAULT 0 NOT NULL,
    quarantine_reason text,
    CONSTRAINT batch_cost_has_currency CHECK (((unit_cost IS NULL) = (currency IS NULL))),
    CONSTRAINT batch_on_hand_bounded CHECK ((on_hand <= 1000000000)),
    CONSTRAINT batch_on_hand_never_negative CHECK ((on_hand >= 0)),
    CONSTRAINT batch_unit_cost_bounded CHECK (((unit_cost >= 0) AND (unit_cost <= '1000000000000'::bigint)))
);
ALTER TABLE ONLY pharmacy.batch FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY pharmacy.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.dispensing (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    prescription_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    complete boolean NOT NULL,
    dispensed_by uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    prescribed_by uuid,
    CONSTRAINT dispensing_by_another CHECK ((dispensed_by <> prescribed_by))
);
ALTER TABLE ONLY pharmacy.dispensing FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.dispensing_line (
    dispensing_id uuid NOT NULL,
    "position" integer NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    prescription_item_id uuid NOT NULL,
    medicine_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    lot_number text NOT NULL,
    expiry_date date NOT NULL,
    quantity bigint NOT NULL,
    CONSTRAINT dispensing_line_quantity_positive CHECK ((quantity > 0))
);
ALTER TABLE ONLY pharmacy.dispensing_line FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.idempotency (
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
ALTER TABLE ONLY pharmacy.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE pharmacy.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE pharmacy.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE pharmacy.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE pharmacy.medicine (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text NOT NULL,
    generic_name text,
    form text NOT NULL,
    strength text,
    atc text,
    unit_price bigint NOT NULL,
    currency character(3) NOT NULL,
    tax_basis_points integer DEFAULT 0 NOT NULL,
    reorder_level bigint DEFAULT 0 NOT NULL,
    pack_size integer,
    active boolean DEFAULT true NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT medicine_pack_size_positive CHECK ((pack_size > 0)),
    CONSTRAINT medicine_price_bounded CHECK (((unit_price >= 0) AND (unit_price <= '1000000000000'::bigint))),
    CONSTRAINT medicine_reorder_level_bounded CHECK (((reorder_level >= 0) AND (reorder_level <= 1000000000))),
    CONSTRAINT medicine_tax_is_a_percentage CHECK (((tax_basis_points >= 0) AND (tax_basis_points <= 10000)))
);
ALTER TABLE ONLY pharmacy.medicine FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.outbox (
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
CREATE TABLE pharmacy.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE pharmacy.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pharmacy.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pharmacy.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pharmacy.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pharmacy.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE pharmacy.prescription_card (
    prescription_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    valid_until date NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    dispensings integer DEFAULT 0 NOT NULL,
    prescribed_by uuid
);
ALTER TABLE ONLY pharmacy.prescription_card FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.prescription_item_card (
    item_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    prescription_id uuid NOT NULL,
    medicine_id uuid NOT NULL,
    "position" integer NOT NULL,
    prescribed bigint NOT NULL,
    dispensed bigint DEFAULT 0 NOT NULL,
    CONSTRAINT prescription_item_card_never_exceeded CHECK (((dispensed >= 0) AND (dispensed <= prescribed))),
    CONSTRAINT prescription_item_card_prescribed_positive CHECK ((prescribed > 0))
);
ALTER TABLE ONLY pharmacy.prescription_item_card FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE pharmacy.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE pharmacy.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE pharmacy.settlement_card (
    prescription_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    invoice_id uuid,
    paid boolean NOT NULL
);
ALTER TABLE ONLY pharmacy.settlement_card FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.stock_movement (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    batch_id uuid NOT NULL,
    medicine_id uuid NOT NULL,
    kind text NOT NULL,
    delta bigint NOT NULL,
    on_hand bigint DEFAULT 0 NOT NULL,
    batch_version integer DEFAULT 0 NOT NULL,
    reason text,
    dispensing_id uuid,
    actor_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    CONSTRAINT stock_movement_direction CHECK ((((kind = 'IN'::text) AND (delta > 0)) OR ((kind = 'OUT'::text) AND (delta < 0)) OR ((kind = 'ADJUSTMENT'::text) AND (reason IS NOT NULL)))),
    CONSTRAINT stock_movement_kind_known CHECK ((kind = ANY (ARRAY['IN'::text, 'OUT'::text, 'ADJUSTMENT'::text]))),
    CONSTRAINT stock_movement_moves CHECK ((delta <> 0))
);
ALTER TABLE ONLY pharmacy.stock_movement FORCE ROW LEVEL SECURITY;
CREATE TABLE pharmacy.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY pharmacy.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY pharmacy.batch
    ADD CONSTRAINT batch_one_per_lot UNIQUE (tenant_id, medicine_id, lot_number, expiry_date);
ALTER TABLE ONLY pharmacy.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pharmacy.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY pharmacy.dispensing_line
    ADD CONSTRAINT dispensing_line_pkey PRIMARY KEY (dispensing_id, "position");
ALTER TABLE ONLY pharmacy.dispensing
    ADD CONSTRAINT dispensing_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pharmacy.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY pharmacy.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY pharmacy.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY pharmacy.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY pharmacy.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY pharmacy.medicine
    ADD CONSTRAINT medicine_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pharmacy.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pharmacy.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY pharmacy.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY pharmacy.prescription_card
    ADD CONSTRAINT prescription_card_pkey PRIMARY KEY (prescription_id);
ALTER TABLE ONLY pharmacy.prescription_item_card
    ADD CONSTRAINT prescription_item_card_pkey PRIMARY KEY (item_id);
ALTER TABLE ONLY pharmacy.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY pharmacy.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY pharmacy.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY pharmacy.settlement_card
    ADD CONSTRAINT settlement_card_pkey PRIMARY KEY (prescription_id);
ALTER TABLE ONLY pharmacy.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (id);
ALTER TABLE ONLY pharmacy.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
CREATE INDEX batch_expiring ON pharmacy.batch USING btree (tenant_id, expiry_date, id) WHERE (on_hand > 0);
CREATE INDEX batch_first_expired ON pharmacy.batch USING btree (tenant_id, medicine_id, expiry_date, received_at, id) WHERE (on_hand > 0);
CREATE INDEX data_key_of_tenant ON pharmacy.data_key USING btree (tenant_id, person_id);
CREATE INDEX dispensing_of_prescription ON pharmacy.dispensing USING btree (tenant_id, prescription_id, id);
CREATE INDEX idempotency_expired ON pharmacy.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON pharmacy.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON pharmacy.inbox USING btree (received_at);
CREATE INDEX medicine_by_name ON pharmacy.medicine USING btree (tenant_id, lower(name), id);
CREATE UNIQUE INDEX outbox_fact_once ON pharmacy.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON pharmacy.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON pharmacy.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX prescription_item_card_of_prescription ON pharmacy.prescription_item_card USING btree (prescription_id, "position");
CREATE INDEX revoked_session_expired ON pharmacy.revoked_session USING btree (expires_at);
CREATE INDEX settlement_card_of_invoice ON pharmacy.settlement_card USING btree (tenant_id, invoice_id);
CREATE INDEX stock_movement_newest ON pharmacy.stock_movement USING btree (tenant_id, id DESC);
CREATE INDEX stock_movement_of_batch ON pharmacy.stock_movement USING btree (tenant_id, batch_id, id DESC);
CREATE INDEX stock_movement_of_medicine ON pharmacy.stock_movement USING btree (tenant_id, medicine_id, id DESC);
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON pharmacy.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION pharmacy.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON pharmacy.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION pharmacy.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON pharmacy.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION pharmacy.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON pharmacy.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION pharmacy.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON pharmacy.outbox FOR EACH STATEMENT EXECUTE FUNCTION pharmacy.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON pharmacy.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION pharmacy.outbox_note_sent();
CREATE TRIGGER stock_movement_moves_stock BEFORE INSERT ON pharmacy.stock_movement FOR EACH ROW EXECUTE FUNCTION pharmacy.stock_movement_apply();
ALTER TABLE ONLY pharmacy.batch
    ADD CONSTRAINT batch_medicine_id_fkey FOREIGN KEY (medicine_id) REFERENCES pharmacy.medicine(id);
ALTER TABLE ONLY pharmacy.dispensing_line
    ADD CONSTRAINT dispensing_line_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES pharmacy.batch(id);
ALTER TABLE ONLY pharmacy.dispensing_line
    ADD CONSTRAINT dispensing_line_dispensing_id_fkey FOREIGN KEY (dispensing_id) REFERENCES pharmacy.dispensing(id);
ALTER TABLE ONLY pharmacy.dispensing_line
    ADD CONSTRAINT dispensing_line_medicine_id_fkey FOREIGN KEY (medicine_id) REFERENCES pharmacy.medicine(id);
ALTER TABLE ONLY pharmacy.dispensing_line
    ADD CONSTRAINT dispensing_line_prescription_item_id_fkey FOREIGN KEY (prescription_item_id) REFERENCES pharmacy.prescription_item_card(item_id);
ALTER TABLE ONLY pharmacy.dispensing
    ADD CONSTRAINT dispensing_prescription_id_fkey FOREIGN KEY (prescription_id) REFERENCES pharmacy.prescription_card(prescription_id);
ALTER TABLE ONLY pharmacy.prescription_item_card
    ADD CONSTRAINT prescription_item_card_prescription_id_fkey FOREIGN KEY (prescription_id) REFERENCES pharmacy.prescription_card(prescription_id);
ALTER TABLE ONLY pharmacy.stock_movement
    ADD CONSTRAINT stock_movement_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES pharmacy.batch(id);
ALTER TABLE ONLY pharmacy.stock_movement
    ADD CONSTRAINT stock_movement_medicine_id_fkey FOREIGN KEY (medicine_id) REFERENCES pharmacy.medicine(id);
ALTER TABLE pharmacy.batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY batch_of_tenant ON pharmacy.batch USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON pharmacy.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.dispensing ENABLE ROW LEVEL SECURITY;
ALTER TABLE pharmacy.dispensing_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY dispensing_line_of_tenant ON pharmacy.dispensing_line USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY dispensing_of_tenant ON pharmacy.dispensing USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON pharmacy.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.medicine ENABLE ROW LEVEL SECURITY;
CREATE POLICY medicine_of_tenant ON pharmacy.medicine USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.prescription_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY prescription_card_of_tenant ON pharmacy.prescription_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.prescription_item_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY prescription_item_card_of_tenant ON pharmacy.prescription_item_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.settlement_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY settlement_card_of_tenant ON pharmacy.settlement_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.stock_movement ENABLE ROW LEVEL SECURITY;
CREATE POLICY stock_movement_of_tenant ON pharmacy.stock_movement USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE pharmacy.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON pharmacy.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA pharmacy TO polyclinic_pharmacy;
REVOKE ALL ON FUNCTION pharmacy.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION pharmacy.outbox_tell() TO polyclinic_pharmacy;
REVOKE ALL ON FUNCTION pharmacy.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION pharmacy.outbox_tell(service text) TO polyclinic_pharmacy;
GRANT SELECT ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(id) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(medicine_id) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(lot_number) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(expiry_date) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(received_at) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(supplier) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(unit_cost) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT INSERT(currency) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT UPDATE(quarantined) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT UPDATE(version) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT UPDATE(quarantine_reason) ON TABLE pharmacy.batch TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE ON TABLE pharmacy.data_key TO polyclinic_pharmacy;
GRANT UPDATE(wrapped) ON TABLE pharmacy.data_key TO polyclinic_pharmacy;
GRANT SELECT,INSERT ON TABLE pharmacy.dispensing TO polyclinic_pharmacy;
GRANT SELECT,INSERT ON TABLE pharmacy.dispensing_line TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE ON TABLE pharmacy.idempotency TO polyclinic_pharmacy;
GRANT UPDATE(answer) ON TABLE pharmacy.idempotency TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE ON TABLE pharmacy.inbox TO polyclinic_pharmacy;
GRANT SELECT,INSERT,UPDATE ON TABLE pharmacy.inbox_revision TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pharmacy.isolation TO polyclinic_pharmacy;
GRANT SELECT,INSERT ON TABLE pharmacy.keyed_tenant TO polyclinic_pharmacy;
GRANT SELECT,INSERT,UPDATE ON TABLE pharmacy.medicine TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE ON TABLE pharmacy.outbox TO polyclinic_pharmacy;
GRANT UPDATE(published_at) ON TABLE pharmacy.outbox TO polyclinic_pharmacy;
GRANT SELECT,INSERT,UPDATE ON TABLE pharmacy.prescription_card TO polyclinic_pharmacy;
GRANT SELECT,INSERT,UPDATE ON TABLE pharmacy.prescription_item_card TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pharmacy.revoked_account TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE pharmacy.revoked_session TO polyclinic_pharmacy;
GRANT SELECT ON TABLE pharmacy.schema_migration TO polyclinic_pharmacy;
GRANT SELECT,INSERT,UPDATE ON TABLE pharmacy.settlement_card TO polyclinic_pharmacy;
GRANT SELECT,INSERT ON TABLE pharmacy.stock_movement TO polyclinic_pharmacy;
GRANT SELECT,INSERT,DELETE ON TABLE pharmacy.tenant_wrapping_key TO polyclinic_pharmacy;
GRANT UPDATE(wrapped) ON TABLE pharmacy.tenant_wrapping_key TO polyclinic_pharmacy;
