-- Who is erased cannot be found by an address any more.
grant delete on login to :service_role;
-- A new master key wraps tenants' keys again.
grant update (wrapped) on tenant_key to :service_role;
-- Rotation walks through the tenants; the owner's row-level security is put aside for this statement.
alter table tenant_key no force row level security;
insert into keyed_tenant (tenant_id) select tenant_id from tenant_key on conflict do nothing;
alter table tenant_key force row level security;
