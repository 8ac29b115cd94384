-- From whose pages a browser may read our answers (CORS): the tenant's own origins, and where its clients' pages are.
-- A preflight carries no token and so names no tenant: this is under no row-level security and holds nothing but what
-- administrators publish. It follows tenant_setting and client, in the same transactions.
create table allowed_origin (
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    -- Null: the tenant's own.
    client_id uuid,
    origin    text not null,
    constraint allowed_origin_once unique nulls not distinct (tenant_id, client_id, origin),
    -- What a browser sends as Origin, and nothing that would end a header early.
    constraint allowed_origin_plain check (origin ~ '^https?://[!-.0-~]+$')
);
grant select, insert, delete on allowed_origin to :service_role;

alter table tenant_setting no force row level security;
alter table client no force row level security;
insert into allowed_origin (tenant_id, origin)
select tenant_id, origin from tenant_setting, unnest(redirect_origins) origin where origin ~ '^https?://[!-.0-~]+$'
on conflict do nothing;
insert into allowed_origin (tenant_id, client_id, origin)
select tenant_id, id, substring(address from '^https?://[!-.0-~]+') from client, unnest(redirect_uris) address
where active and address ~ '^https?://[!-.0-~]+(/|$)'
on conflict do nothing;
alter table tenant_setting force row level security;
alter table client force row level security;
