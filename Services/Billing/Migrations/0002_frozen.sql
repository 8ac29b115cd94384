-- An issued invoice is a document: what it says never changes again, whatever the code tries.
create function invoice_stays_as_issued() returns trigger language plpgsql set search_path from current as $$
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

create trigger invoice_frozen before update on invoice for each row execute function invoice_stays_as_issued();

create function invoice_lines_stay_as_issued() returns trigger language plpgsql set search_path from current as $$
begin
    if (select status from invoice where id = coalesce(new.invoice_id, old.invoice_id)) is distinct from 'DRAFT' then
        raise exception 'an issued invoice is not edited' using errcode = 'check_violation', constraint = 'invoice_frozen';
    end if;
    return coalesce(new, old);
end
$$;

create trigger invoice_line_frozen before insert or update or delete on invoice_line
    for each row execute function invoice_lines_stay_as_issued();
