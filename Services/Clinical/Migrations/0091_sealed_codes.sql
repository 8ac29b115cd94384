-- Codes, measured values and prescribed medicines rest sealed under the patient's key from now on. This expands: the columns
-- in clear stay, null for what is new; the worker `seal-words` seals what is old and empties them, and a later release drops them.
alter table visit_observation alter column value drop not null;
alter table visit_observation add column sealed_value bytea;
alter table visit_observation add constraint visit_observation_said_once check ((value is null) <> (sealed_value is null)) not valid;

-- One box for an item: the medicine's names and code, and the dose.
alter table prescription_item alter column name drop not null;
alter table prescription_item alter column dose drop not null;
alter table prescription_item add column sealed_medicine bytea;
alter table prescription_item add constraint prescription_item_said_once check (
    case when sealed_medicine is null then name is not null and dose is not null
    else num_nonnulls(name, generic_name, atc, dose) = 0 end) not valid;

-- What is left to do, and nothing once it is done.
create index visit_observation_unsealed on visit_observation (tenant_id, visit_id) where sealed_value is null;
create index prescription_item_unsealed on prescription_item (tenant_id, id) where sealed_medicine is null;

-- The codes of diagnoses are sealed with their words in `visit.findings`, and always were; nothing reads them here. The
-- release before still writes them: it may, and nothing is kept. A later release drops the table.
truncate visit_diagnosis;
create function visit_diagnosis_keeps_nothing() returns trigger language plpgsql as $$
begin
    return null;
end $$;
create trigger visit_diagnosis_keeps_nothing before insert on visit_diagnosis
    for each row execute function visit_diagnosis_keeps_nothing();

-- A signed visit does not change, but for this: a value, once, into a box, by a function that runs as the tables' owner. What is
-- in the box only the key can tell.
create or replace function visit_part_is_final() returns trigger language plpgsql set search_path from current as $$
begin
    if current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        if tg_op = 'DELETE' then
            return old;
        end if;
        if tg_op = 'UPDATE' and tg_table_name = 'visit_observation'
            and to_jsonb(old) ->> 'sealed_value' is null and to_jsonb(new) ->> 'sealed_value' is not null
            and to_jsonb(new) - '{value,sealed_value}'::text[] = to_jsonb(old) - '{value,sealed_value}'::text[]
        then
            return new;
        end if;
    end if;
    if exists (
        select from visit_snapshot s
        where s.visit_id = case tg_op when 'DELETE' then old.visit_id else new.visit_id end
    ) then
        raise exception 'a signed visit does not change' using errcode = 'check_violation', constraint = 'visit_signed';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;

create function seal_observation(visit uuid, loinc text, box bytea) returns void
language sql security definer set search_path from current as $$
    update visit_observation set sealed_value = box, value = null
    where visit_id = visit and code = loinc and sealed_value is null
$$;
create function seal_prescription_item(item uuid, box bytea) returns void
language sql security definer set search_path from current as $$
    update prescription_item set sealed_medicine = box, name = null, generic_name = null, atc = null, dose = null
    where id = item and sealed_medicine is null
$$;
revoke execute on function seal_observation(uuid, text, bytea), seal_prescription_item(uuid, bytea) from public;
grant execute on function seal_observation(uuid, text, bytea), seal_prescription_item(uuid, bytea) to :service_role;
