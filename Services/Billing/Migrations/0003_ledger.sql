-- A correction of an issued invoice: the only kind there is.
create table credit_note (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    number text not null,
    invoice_id uuid not null references invoice (id),
    amount bigint not null,
    tax bigint not null,
    currency char(3) not null,
    reason text not null,
    created_by uuid not null,
    at timestamptz not null,
    local_date date not null,
    constraint credit_note_number_unique unique (tenant_id, number),
    constraint credit_note_amount_bounded check (amount between 1 and 1000000000000 and tax between 0 and amount)
);

create index credit_note_of_invoice on credit_note (tenant_id, invoice_id, id);

alter table credit_note enable row level security;
alter table credit_note force row level security;
create policy credit_note_of_tenant on credit_note
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on credit_note to :service_role;

-- Money that changed hands, in either direction. Append-only.
create table payment (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    invoice_id uuid not null references invoice (id),
    kind text not null,
    method text not null,
    amount bigint not null,
    currency char(3) not null,
    credit_note_id uuid references credit_note (id),
    actor_id uuid not null,
    at timestamptz not null,
    local_date date not null,
    constraint payment_kind_known check (kind in ('PAYMENT', 'REFUND')),
    constraint payment_method_known check (method in ('CASH', 'CARD', 'UPI')),
    constraint payment_amount_positive check (amount between 1 and 1000000000000),
    -- Money goes back only under a credit note.
    constraint payment_refund_has_credit_note check ((kind = 'REFUND') = (credit_note_id is not null))
);

create index payment_of_invoice on payment (tenant_id, invoice_id, id);

alter table payment enable row level security;
alter table payment force row level security;
create policy payment_of_tenant on payment
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on payment to :service_role;

-- Double entry: every fact about money is one entry whose lines cancel out.
create table ledger_entry (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    invoice_id uuid not null references invoice (id),
    kind text not null,
    at timestamptz not null,
    local_date date not null,
    constraint ledger_entry_kind_known check (kind in ('ISSUE', 'PAYMENT', 'REFUND', 'CANCELLATION'))
);

create index ledger_entry_of_invoice on ledger_entry (tenant_id, invoice_id, id);

alter table ledger_entry enable row level security;
alter table ledger_entry force row level security;
create policy ledger_entry_of_tenant on ledger_entry
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on ledger_entry to :service_role;

-- Debit is positive, credit negative.
create table ledger_line (
    entry_id uuid not null references ledger_entry (id),
    position int not null,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    account text not null,
    amount bigint not null,
    currency char(3) not null,
    primary key (entry_id, position),
    constraint ledger_line_account_known check (account in ('receivable', 'revenue', 'tax', 'cash', 'card', 'upi')),
    constraint ledger_line_moves check (amount <> 0)
);

alter table ledger_line enable row level security;
alter table ledger_line force row level security;
create policy ledger_line_of_tenant on ledger_line
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on ledger_line to :service_role;

-- At commit every entry must have lines, and they must cancel out, in each currency.
create function ledger_entry_balances() returns trigger language plpgsql set search_path from current as $$
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

create constraint trigger ledger_entry_balances after insert on ledger_entry
    deferrable initially deferred for each row execute function ledger_entry_balances();
create constraint trigger ledger_line_balances after insert on ledger_line
    deferrable initially deferred for each row execute function ledger_entry_balances();
