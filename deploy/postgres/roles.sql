-- The one file that sees every service: the roles, and the extensions they share.
-- Passwords arrive as settings polyclinic.<service>_password, so that none is in this file or on a command line.
-- Safe to run again.

create extension if not exists btree_gist with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists pg_stat_statements with schema public;

revoke all on schema public from public;
grant usage on schema public to public;
revoke create on schema public from public;
revoke temporary on database polyclinic from public;

do $$
declare
    service text;
begin
    -- Owns the schemas and runs the migrations; no service logs in as it.
    if not exists (select from pg_roles where rolname = 'polyclinic_migrator') then
        create role polyclinic_migrator login;
    end if;
    execute format('alter role polyclinic_migrator password %L', current_setting('polyclinic.migrator_password'));
    execute 'grant create on database polyclinic to polyclinic_migrator';

    foreach service in array array['auth', 'scheduling', 'queue', 'clinical', 'pharmacy', 'billing', 'notifications', 'reporting', 'portal']
    loop
        -- One login role per service: it owns nothing, and has rights in its own schema only.
        if not exists (select from pg_roles where rolname = 'polyclinic_' || service) then
            execute format('create role %I login nosuperuser nocreatedb nocreaterole nobypassrls', 'polyclinic_' || service);
        end if;
        execute format('alter role %I password %L', 'polyclinic_' || service, current_setting('polyclinic.' || service || '_password'));
    end loop;
end
$$;
