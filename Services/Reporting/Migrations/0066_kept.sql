-- What was recorded stays as it was recorded: rights say so for the service, this for the owner too. Whoever may switch
-- triggers off still leaves a chain that is broken.
create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'an audit trail is not changed' using errcode = 'insufficient_privilege', table = tg_table_name;
end $$;
create trigger audit_entry_kept before update or delete on audit_entry
    for each row execute function audit_refuse();
create trigger audit_entry_not_emptied before truncate on audit_entry
    for each statement execute function audit_refuse();
create trigger audit_checkpoint_kept before update or delete on audit_checkpoint
    for each row execute function audit_refuse();
create trigger audit_checkpoint_not_emptied before truncate on audit_checkpoint
    for each statement execute function audit_refuse();
create trigger audit_listed_kept before update or delete on audit_listed
    for each row execute function audit_refuse();
create trigger audit_listed_not_emptied before truncate on audit_listed
    for each statement execute function audit_refuse();
