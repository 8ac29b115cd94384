CREATE SCHEMA billing;
CREATE DOMAIN billing.idempotency_key_unused AS boolean
	CONSTRAINT idempotency_key_in_use CHECK (VALUE);
CREATE FUNCTION billing.invoice_lines_stay_as_issued() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'billing', 'public'
    AS $$
begin
    if tg_op = 'UPDATE' and old.sealed_description is null and new.sealed_description is not null and new.description = ''
        and to_jsonb(new) - '{description,sealed_description}'::text[] = to_jsonb(old) - '{description,sealed_description}'::text[]
    then
        return new;
    end if;
    if (select status from invoice where id = coalesce(new.invoice_id, old.invoice_id)) is distinct from 'DRAFT' then
        raise exception 'an issued invoice is not edited' using errcode = 'check_violation', constraint = 'invoice_frozen';
    end if;
    return coalesce(new, old);
end
$$;
CREATE FUNCTION billing.invoice_stays_as_issued() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'billing', 'public'
    AS $$
begin
    if old.status <> 'DRAFT' and (
        new.number, new.visit_id, new.patient_id, new.mode, new.currency, new.subtotal, new.discount, new.tax,
        new.total, new.local_date, new.issued_at)
        is distinct from (
        old.number, old.visit_id, old.patient_id, old.mode, old.currency, old.subtotal, old.discount, old.tax,
        old.total, old.local_date, old.issued_at)
    then
        raise exception 'an issued invoice is not edited' using errcode = 'check_violation', constraint = 'invoice_frozen';
    end if;
    return new;
end
$$;
CREATE FUNCTION billing.ledger_entry_balances() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'billing', 'public'
    AS $$
declare
    entry uuid;
begin
    if tg_table_name = 'ledger_entry' then entry := new.id; else entry := new.entry_id; end if;
    if (select count(*) from ledger_line where entry_id = entry) < 2 or exists (
        select from ledger_line where entry_id = entry group by currency having sum(amount) <> 0)
    then
        raise exception 'a ledger entry does not balance'
            using errcode = 'check_violation', constraint = 'ledger_entry_balances';
    end if;
    return null;
end
$$;
CREATE FUNCTION billing.outbox_counted_by_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select relowner::regrole::text from pg_class where oid = tg_relid) then
        raise exception 'only the database counts audit facts out' using errcode = 'insufficient_privilege',
            constraint = 'outbox_counted_by_database', table = tg_table_name;
    end if;
    return new;
end $$;
CREATE FUNCTION billing.outbox_note_sent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'billing', 'public'
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
CREATE FUNCTION billing.outbox_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact that was not published is not deleted, nor an audit fact within a day'
        using errcode = 'insufficient_privilege', constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
CREATE FUNCTION billing.outbox_refuse_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a fact is marked when it leaves, not for the past' using errcode = 'insufficient_privilege',
        constraint = 'outbox_marked_when_it_leaves', table = tg_table_name;
end $$;
CREATE FUNCTION billing.outbox_tell() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'billing', 'public'
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
CREATE FUNCTION billing.outbox_tell(service text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'billing', 'public'
    AS $$select outbox_tell()$$;
CREATE FUNCTION billing.seal_credit_note(note uuid, box bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'billing', 'public'
    AS $$
    update credit_note set sealed_reason = box, reason = '' where id = note and sealed_reason is null
$$;
CREATE FUNCTION billing.seal_invoice_line(invoice uuid, place integer, box bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'billing', 'public'
    AS $$
    update invoice_line set sealed_description = box, description = ''
    where invoice_id = invoice and position = place and sealed_description is null
$$;
CREATE TABLE billing.credit_note (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number text NOT NULL,
    invoice_id uuid NOT NULL,
    amount bigint NOT NULL,
    tax bigint NOT NULL,
    currency character(3) NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    created_by uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    sealed_reason bytea,
    CONSTRAINT credit_note_amount_bounded CHECK ((((amount >= 1) AND (amount <= '1000000000000'::bigint)) AND ((tax >= 0) AND (tax <= amount)))),
    CONSTRAINT credit_note_words_once CHECK (((sealed_reason IS NULL) OR (reason = ''::text)))
);
ALTER TABLE ONLY billing.credit_note FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.data_key (
    person_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY billing.data_key FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.idempotency (
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
ALTER TABLE ONLY billing.idempotency FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.inbox (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE billing.inbox_revision (
    reaction text NOT NULL,
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    revision integer NOT NULL
);
CREATE TABLE billing.invoice (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number text NOT NULL,
    visit_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    location_id uuid NOT NULL,
    mode text NOT NULL,
    status text DEFAULT 'DRAFT'::text NOT NULL,
    currency character(3) NOT NULL,
    discount_basis_points integer,
    discount_amount bigint,
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    received bigint DEFAULT 0 NOT NULL,
    refunded bigint DEFAULT 0 NOT NULL,
    due bigint GENERATED ALWAYS AS (
CASE status
    WHEN 'CANCELLED'::text THEN (0)::bigint
    ELSE (total - received)
END) STORED NOT NULL,
    local_date date NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone,
    cancelled_reason text,
    version integer DEFAULT 1 NOT NULL,
    sealed_cancelled_reason bytea,
    CONSTRAINT invoice_amounts_bounded CHECK ((((subtotal >= 0) AND (subtotal <= '1000000000000'::bigint)) AND ((discount >= 0) AND (discount <= subtotal)) AND ((tax >= 0) AND (tax <= '1000000000000'::bigint)) AND ((total >= 0) AND (total <= '1000000000000'::bigint)))),
    CONSTRAINT invoice_discount_is_a_percentage CHECK (((discount_basis_points >= 0) AND (discount_basis_points <= 10000))),
    CONSTRAINT invoice_issued_when_owed CHECK (((status = ANY (ARRAY['DRAFT'::text, 'CANCELLED'::text])) OR (issued_at IS NOT NULL))),
    CONSTRAINT invoice_mode_known CHECK ((mode = ANY (ARRAY['AUTO'::text, 'MANUAL'::text]))),
    CONSTRAINT invoice_never_over_refunded CHECK (((refunded >= 0) AND (refunded <= received))),
    CONSTRAINT invoice_never_overpaid CHECK (((received >= 0) AND (received <= total))),
    CONSTRAINT invoice_one_discount CHECK (((discount_basis_points IS NULL) OR (discount_amount IS NULL))),
    CONSTRAINT invoice_paid_when_settled CHECK ((((status = 'PAID'::text) AND (received = total)) OR ((status = 'ISSUED'::text) AND (received < total)) OR ((status = 'CANCELLED'::text) AND (received = refunded)) OR ((status = 'DRAFT'::text) AND (received = 0)))),
    CONSTRAINT invoice_status_known CHECK ((status = ANY (ARRAY['DRAFT'::text, 'ISSUED'::text, 'PAID'::text, 'CANCELLED'::text]))),
    CONSTRAINT invoice_total_adds_up CHECK ((total = ((subtotal - discount) + tax))),
    CONSTRAINT invoice_words_once CHECK (((sealed_cancelled_reason IS NULL) OR (cancelled_reason IS NULL)))
);
ALTER TABLE ONLY billing.invoice FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.invoice_counter (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    series text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL
);
ALTER TABLE ONLY billing.invoice_counter FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.invoice_line (
    invoice_id uuid NOT NULL,
    "position" integer NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    medicine_id uuid,
    prescription_item_id uuid,
    quantity bigint NOT NULL,
    unit_price bigint NOT NULL,
    tax_basis_points integer NOT NULL,
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    sealed_description bytea,
    CONSTRAINT invoice_line_adds_up CHECK (((subtotal = (quantity * unit_price)) AND ((discount >= 0) AND (discount <= subtotal)) AND (tax >= 0) AND (total = ((subtotal - discount) + tax)))),
    CONSTRAINT invoice_line_price_bounded CHECK (((unit_price >= 0) AND (unit_price <= '1000000000000'::bigint))),
    CONSTRAINT invoice_line_quantity_positive CHECK (((quantity >= 1) AND (quantity <= 100000000))),
    CONSTRAINT invoice_line_tax_is_a_percentage CHECK (((tax_basis_points >= 0) AND (tax_basis_points <= 10000))),
    CONSTRAINT invoice_line_words_once CHECK (((sealed_description IS NULL) OR (description = ''::text)))
);
ALTER TABLE ONLY billing.invoice_line FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.invoice_prescription (
    invoice_id uuid NOT NULL,
    prescription_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL
);
ALTER TABLE ONLY billing.invoice_prescription FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.isolation (
    reaction text NOT NULL,
    event_id uuid NOT NULL,
    starts integer DEFAULT 1 NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE billing.keyed_tenant (
    tenant_id uuid NOT NULL
);
CREATE TABLE billing.ledger_entry (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    invoice_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    CONSTRAINT ledger_entry_kind_known CHECK ((kind = ANY (ARRAY['ISSUE'::text, 'PAYMENT'::text, 'REFUND'::text, 'CANCELLATION'::text])))
);
ALTER TABLE ONLY billing.ledger_entry FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.ledger_line (
    entry_id uuid NOT NULL,
    "position" integer NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    CONSTRAINT ledger_line_account_known CHECK ((account = ANY (ARRAY['receivable'::text, 'revenue'::text, 'tax'::text, 'cash'::text, 'card'::text, 'upi'::text]))),
    CONSTRAINT ledger_line_moves CHECK ((amount <> 0))
);
ALTER TABLE ONLY billing.ledger_line FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.medicine_card (
    medicine_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    name text NOT NULL,
    strength text,
    unit_price bigint NOT NULL,
    currency character(3) NOT NULL,
    tax_basis_points integer NOT NULL,
    revision integer NOT NULL
);
ALTER TABLE ONLY billing.medicine_card FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.outbox (
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
CREATE TABLE billing.outbox_sent (
    number bigint NOT NULL,
    tenant_id uuid NOT NULL,
    ids uuid[] NOT NULL
);
ALTER TABLE billing.outbox_sent ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.outbox_sent_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE billing.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE billing.outbox_told (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT outbox_told_counts CHECK ((number > 0))
);
CREATE TABLE billing.payment (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    invoice_id uuid NOT NULL,
    kind text NOT NULL,
    method text NOT NULL,
    amount bigint NOT NULL,
    currency character(3) NOT NULL,
    credit_note_id uuid,
    actor_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    local_date date NOT NULL,
    CONSTRAINT payment_amount_positive CHECK (((amount >= 1) AND (amount <= '1000000000000'::bigint))),
    CONSTRAINT payment_kind_known CHECK ((kind = ANY (ARRAY['PAYMENT'::text, 'REFUND'::text]))),
    CONSTRAINT payment_method_known CHECK ((method = ANY (ARRAY['CASH'::text, 'CARD'::text, 'UPI'::text]))),
    CONSTRAINT payment_refund_has_credit_note CHECK (((kind = 'REFUND'::text) = (credit_note_id IS NOT NULL)))
);
ALTER TABLE ONLY billing.payment FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.revoked_account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE billing.revoked_session (
    session_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL
);
CREATE TABLE billing.schema_migration (
    line text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE billing.tenant_wrapping_key (
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    number integer NOT NULL,
    wrapped bytea NOT NULL,
    active_from timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_wrapping_key_counts CHECK ((number > 0))
);
ALTER TABLE ONLY billing.tenant_wrapping_key FORCE ROW LEVEL SECURITY;
CREATE TABLE billing.visit_card (
    visit_id uuid NOT NULL,
    tenant_id uuid DEFAULT (current_setting('app.tenant'::text))::uuid NOT NULL,
    patient_id uuid NOT NULL,
    location_id uuid NOT NULL
);
ALTER TABLE ONLY billing.visit_card FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY billing.credit_note
    ADD CONSTRAINT credit_note_number_unique UNIQUE (tenant_id, number);
ALTER TABLE ONLY billing.credit_note
    ADD CONSTRAINT credit_note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY billing.idempotency
    ADD CONSTRAINT idempotency_key_once PRIMARY KEY (tenant_id, account_id, key);
ALTER TABLE ONLY billing.inbox
    ADD CONSTRAINT inbox_handled_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY billing.inbox_revision
    ADD CONSTRAINT inbox_revision_newest PRIMARY KEY (reaction, tenant_id, subject);
ALTER TABLE ONLY billing.invoice_counter
    ADD CONSTRAINT invoice_counter_pkey PRIMARY KEY (tenant_id, series, year);
ALTER TABLE ONLY billing.invoice_line
    ADD CONSTRAINT invoice_line_pkey PRIMARY KEY (invoice_id, "position");
ALTER TABLE ONLY billing.invoice
    ADD CONSTRAINT invoice_number_unique UNIQUE (tenant_id, number);
ALTER TABLE ONLY billing.invoice
    ADD CONSTRAINT invoice_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.invoice_prescription
    ADD CONSTRAINT invoice_prescription_pkey PRIMARY KEY (invoice_id, prescription_id);
ALTER TABLE ONLY billing.isolation
    ADD CONSTRAINT isolation_counted_once PRIMARY KEY (reaction, event_id);
ALTER TABLE ONLY billing.keyed_tenant
    ADD CONSTRAINT keyed_tenant_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY billing.ledger_entry
    ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.ledger_line
    ADD CONSTRAINT ledger_line_pkey PRIMARY KEY (entry_id, "position");
ALTER TABLE ONLY billing.medicine_card
    ADD CONSTRAINT medicine_card_pkey PRIMARY KEY (medicine_id);
ALTER TABLE ONLY billing.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.outbox_sent
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (number);
ALTER TABLE ONLY billing.outbox_told
    ADD CONSTRAINT outbox_told_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY billing.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.revoked_account
    ADD CONSTRAINT revoked_account_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY billing.revoked_session
    ADD CONSTRAINT revoked_session_pkey PRIMARY KEY (session_id);
ALTER TABLE ONLY billing.schema_migration
    ADD CONSTRAINT schema_migration_once PRIMARY KEY (line, name);
ALTER TABLE ONLY billing.tenant_wrapping_key
    ADD CONSTRAINT tenant_wrapping_key_once PRIMARY KEY (tenant_id, number);
ALTER TABLE ONLY billing.visit_card
    ADD CONSTRAINT visit_card_pkey PRIMARY KEY (visit_id);
CREATE INDEX credit_note_of_invoice ON billing.credit_note USING btree (tenant_id, invoice_id, id);
CREATE INDEX credit_note_unsealed ON billing.credit_note USING btree (tenant_id, id) WHERE (sealed_reason IS NULL);
CREATE INDEX data_key_of_tenant ON billing.data_key USING btree (tenant_id, person_id);
CREATE INDEX idempotency_expired ON billing.idempotency USING btree (expires_at);
CREATE INDEX idempotency_of_patient ON billing.idempotency USING btree (patient_id) WHERE (patient_id IS NOT NULL);
CREATE INDEX inbox_received ON billing.inbox USING btree (received_at);
CREATE INDEX invoice_line_unsealed ON billing.invoice_line USING btree (tenant_id, invoice_id) WHERE (sealed_description IS NULL);
CREATE INDEX invoice_newest ON billing.invoice USING btree (tenant_id, id DESC);
CREATE INDEX invoice_of_patient ON billing.invoice USING btree (tenant_id, patient_id, id DESC);
CREATE INDEX invoice_of_visit ON billing.invoice USING btree (tenant_id, visit_id, id DESC);
CREATE UNIQUE INDEX invoice_one_auto_per_visit ON billing.invoice USING btree (tenant_id, visit_id) WHERE ((mode = 'AUTO'::text) AND (status <> 'CANCELLED'::text));
CREATE INDEX invoice_prescription_covered ON billing.invoice_prescription USING btree (tenant_id, prescription_id);
CREATE INDEX invoice_unsealed ON billing.invoice USING btree (tenant_id, id) WHERE (cancelled_reason IS NOT NULL);
CREATE INDEX ledger_entry_of_invoice ON billing.ledger_entry USING btree (tenant_id, invoice_id, id);
CREATE UNIQUE INDEX outbox_fact_once ON billing.outbox USING btree (tenant_id, type, subject, revision) WHERE (revision > 0);
CREATE INDEX outbox_published ON billing.outbox USING btree (published_at) WHERE (published_at IS NOT NULL);
CREATE INDEX outbox_unpublished ON billing.outbox USING btree (seq) WHERE (published_at IS NULL);
CREATE INDEX payment_of_invoice ON billing.payment USING btree (tenant_id, invoice_id, id);
CREATE INDEX revoked_session_expired ON billing.revoked_session USING btree (expires_at);
CREATE TRIGGER invoice_frozen BEFORE UPDATE ON billing.invoice FOR EACH ROW EXECUTE FUNCTION billing.invoice_stays_as_issued();
CREATE TRIGGER invoice_line_frozen BEFORE INSERT OR DELETE OR UPDATE ON billing.invoice_line FOR EACH ROW EXECUTE FUNCTION billing.invoice_lines_stay_as_issued();
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON billing.ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.ledger_entry_balances();
CREATE CONSTRAINT TRIGGER ledger_line_balances AFTER INSERT ON billing.ledger_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.ledger_entry_balances();
CREATE TRIGGER outbox_audit_kept BEFORE DELETE ON billing.outbox FOR EACH ROW WHEN (((old.type ~~ 'audit.%'::text) AND (old.published_at > (now() - '1 day'::interval)))) EXECUTE FUNCTION billing.outbox_refuse();
CREATE TRIGGER outbox_counted_by_database BEFORE INSERT ON billing.outbox FOR EACH ROW WHEN ((new.type = 'audit.facts.sent.v1'::text)) EXECUTE FUNCTION billing.outbox_counted_by_owner();
CREATE TRIGGER outbox_kept_until_published BEFORE DELETE ON billing.outbox FOR EACH ROW WHEN ((old.published_at IS NULL)) EXECUTE FUNCTION billing.outbox_refuse();
CREATE TRIGGER outbox_marked_when_it_leaves BEFORE UPDATE ON billing.outbox FOR EACH ROW WHEN (((new.type ~~ 'audit.%'::text) AND (new.published_at < (now() - '00:01:00'::interval)))) EXECUTE FUNCTION billing.outbox_refuse_past();
CREATE TRIGGER outbox_not_emptied BEFORE TRUNCATE ON billing.outbox FOR EACH STATEMENT EXECUTE FUNCTION billing.outbox_refuse();
CREATE TRIGGER outbox_sent_is_noted AFTER UPDATE ON billing.outbox REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION billing.outbox_note_sent();
ALTER TABLE ONLY billing.credit_note
    ADD CONSTRAINT credit_note_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES billing.invoice(id);
ALTER TABLE ONLY billing.invoice_line
    ADD CONSTRAINT invoice_line_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES billing.invoice(id);
ALTER TABLE ONLY billing.invoice_prescription
    ADD CONSTRAINT invoice_prescription_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES billing.invoice(id);
ALTER TABLE ONLY billing.ledger_entry
    ADD CONSTRAINT ledger_entry_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES billing.invoice(id);
ALTER TABLE ONLY billing.ledger_line
    ADD CONSTRAINT ledger_line_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES billing.ledger_entry(id);
ALTER TABLE ONLY billing.payment
    ADD CONSTRAINT payment_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES billing.credit_note(id);
ALTER TABLE ONLY billing.payment
    ADD CONSTRAINT payment_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES billing.invoice(id);
ALTER TABLE billing.credit_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY credit_note_of_tenant ON billing.credit_note USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.data_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_key_tenant ON billing.data_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_tenant ON billing.idempotency USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.invoice ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.invoice_counter ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_counter_of_tenant ON billing.invoice_counter USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.invoice_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_line_of_tenant ON billing.invoice_line USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
CREATE POLICY invoice_of_tenant ON billing.invoice USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.invoice_prescription ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_prescription_of_tenant ON billing.invoice_prescription USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.ledger_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY ledger_entry_of_tenant ON billing.ledger_entry USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.ledger_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY ledger_line_of_tenant ON billing.ledger_line USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.medicine_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY medicine_card_of_tenant ON billing.medicine_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY payment_of_tenant ON billing.payment USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.tenant_wrapping_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wrapping_key_tenant ON billing.tenant_wrapping_key USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
ALTER TABLE billing.visit_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_card_of_tenant ON billing.visit_card USING ((tenant_id = (current_setting('app.tenant'::text))::uuid)) WITH CHECK ((tenant_id = (current_setting('app.tenant'::text))::uuid));
GRANT USAGE ON SCHEMA billing TO polyclinic_billing;
REVOKE ALL ON FUNCTION billing.outbox_tell() FROM PUBLIC;
GRANT ALL ON FUNCTION billing.outbox_tell() TO polyclinic_billing;
REVOKE ALL ON FUNCTION billing.outbox_tell(service text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.outbox_tell(service text) TO polyclinic_billing;
REVOKE ALL ON FUNCTION billing.seal_credit_note(note uuid, box bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.seal_credit_note(note uuid, box bytea) TO polyclinic_billing;
REVOKE ALL ON FUNCTION billing.seal_invoice_line(invoice uuid, place integer, box bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.seal_invoice_line(invoice uuid, place integer, box bytea) TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.credit_note TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.data_key TO polyclinic_billing;
GRANT UPDATE(wrapped) ON TABLE billing.data_key TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.idempotency TO polyclinic_billing;
GRANT UPDATE(answer) ON TABLE billing.idempotency TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.inbox TO polyclinic_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.inbox_revision TO polyclinic_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.invoice TO polyclinic_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.invoice_counter TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.invoice_line TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.invoice_prescription TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE billing.isolation TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.keyed_tenant TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.ledger_entry TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.ledger_line TO polyclinic_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.medicine_card TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.outbox TO polyclinic_billing;
GRANT UPDATE(published_at) ON TABLE billing.outbox TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.payment TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE billing.revoked_account TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE billing.revoked_session TO polyclinic_billing;
GRANT SELECT ON TABLE billing.schema_migration TO polyclinic_billing;
GRANT SELECT,INSERT,DELETE ON TABLE billing.tenant_wrapping_key TO polyclinic_billing;
GRANT UPDATE(wrapped) ON TABLE billing.tenant_wrapping_key TO polyclinic_billing;
GRANT SELECT,INSERT ON TABLE billing.visit_card TO polyclinic_billing;
