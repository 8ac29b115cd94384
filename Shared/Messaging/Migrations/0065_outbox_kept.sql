-- Facts and audit entries on their way stay until the broker has them: the right to prune is for what was published.
create function outbox_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'a fact that was not published is not deleted' using errcode = 'insufficient_privilege',
        constraint = 'outbox_kept_until_published', table = tg_table_name;
end $$;
create trigger outbox_kept_until_published before delete on outbox
    for each row when (old.published_at is null) execute function outbox_refuse();
create trigger outbox_not_emptied before truncate on outbox
    for each statement execute function outbox_refuse();
