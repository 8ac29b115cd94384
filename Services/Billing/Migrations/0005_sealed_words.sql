-- What people write on bills is sealed under a key of the patient from now on. This expands: the columns in clear stay,
-- empty for what is new, so that the release before still reads; the worker `seal-words` seals what is old and empties
-- them, and a later release drops them.
alter table invoice add column sealed_cancelled_reason bytea;
alter table invoice add constraint invoice_words_once check (sealed_cancelled_reason is null or cancelled_reason is null);
alter table invoice_line alter column description set default '';
alter table invoice_line add column sealed_description bytea;
alter table invoice_line add constraint invoice_line_words_once check (sealed_description is null or description = '');
alter table credit_note alter column reason set default '';
alter table credit_note add column sealed_reason bytea;
alter table credit_note add constraint credit_note_words_once check (sealed_reason is null or reason = '');

-- What is left to do, and nothing once it is done.
create index invoice_unsealed on invoice (tenant_id, id) where cancelled_reason is not null;
create index invoice_line_unsealed on invoice_line (tenant_id, invoice_id) where sealed_description is null;
create index credit_note_unsealed on credit_note (tenant_id, id) where sealed_reason is null;

-- A document that was issued does not change, but for this: its words, once, into a box. The service may do it by these
-- functions only; its role still has no right to update either table. What is in the box only the key can tell.
create or replace function invoice_lines_stay_as_issued() returns trigger language plpgsql set search_path from current as $$
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

create function seal_invoice_line(invoice uuid, place int, box bytea) returns void
language sql security definer set search_path from current as $$
    update invoice_line set sealed_description = box, description = ''
    where invoice_id = invoice and position = place and sealed_description is null
$$;
create function seal_credit_note(note uuid, box bytea) returns void
language sql security definer set search_path from current as $$
    update credit_note set sealed_reason = box, reason = '' where id = note and sealed_reason is null
$$;
revoke execute on function seal_invoice_line(uuid, int, bytea), seal_credit_note(uuid, bytea) from public;
grant execute on function seal_invoice_line(uuid, int, bytea), seal_credit_note(uuid, bytea) to :service_role;

-- Whose invoices the worker must look at. The owner's row-level security is put aside for this statement.
alter table invoice no force row level security;
insert into keyed_tenant (tenant_id) select distinct tenant_id from invoice on conflict do nothing;
alter table invoice force row level security;
