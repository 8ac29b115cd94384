-- One delivery of one lot. `on_hand` is written by the movement trigger only: the service has no right to it,
-- so a batch always holds exactly the sum of its movements.
create table batch (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    medicine_id uuid not null references medicine (id),
    lot_number text not null,
    -- The last day on which it may be handed out.
    expiry_date date not null,
    received_at timestamptz not null,
    supplier text,
    unit_cost bigint,
    currency char(3),
    on_hand bigint not null default 0,
    -- Set aside: counted, never handed out.
    quarantined boolean not null default false,
    version int not null default 0,
    -- The same lot with the same expiry is the same batch: correct it, do not receive it twice.
    constraint batch_one_per_lot unique (tenant_id, medicine_id, lot_number, expiry_date),
    constraint batch_on_hand_never_negative check (on_hand >= 0),
    constraint batch_on_hand_bounded check (on_hand <= 1000000000),
    constraint batch_unit_cost_bounded check (unit_cost between 0 and 1000000000000),
    constraint batch_cost_has_currency check ((unit_cost is null) = (currency is null))
);

-- First expired, first out: what the counter picks from, in the one order in which rows are locked.
create index batch_first_expired on batch (tenant_id, medicine_id, expiry_date, received_at, id) where on_hand > 0;
-- What runs out of date soon, over all medicines.
create index batch_expiring on batch (tenant_id, expiry_date, id) where on_hand > 0;

alter table batch enable row level security;
alter table batch force row level security;
create policy batch_of_tenant on batch
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select on batch to :service_role;
grant insert (id, medicine_id, lot_number, expiry_date, received_at, supplier, unit_cost, currency) on batch
    to :service_role;
grant update (quarantined, version) on batch to :service_role;

-- Why a batch gained or lost, one row each time, never changed and never deleted.
create table stock_movement (
    id uuid primary key,
    tenant_id uuid not null default current_setting('app.tenant')::uuid,
    batch_id uuid not null references batch (id),
    medicine_id uuid not null references medicine (id),
    kind text not null,
    delta bigint not null,
    -- What the batch held afterwards; the trigger writes it.
    on_hand bigint not null default 0,
    -- The batch's version afterwards: the revision of what is announced. The trigger writes it too.
    batch_version int not null default 0,
    reason text,
    dispensing_id uuid,
    actor_id uuid not null,
    at timestamptz not null,
    local_date date not null,
    constraint stock_movement_kind_known check (kind in ('IN', 'OUT', 'ADJUSTMENT')),
    constraint stock_movement_moves check (delta <> 0),
    -- IN brings, OUT takes; a correction may do either but says why.
    constraint stock_movement_direction check (
        (kind = 'IN' and delta > 0) or (kind = 'OUT' and delta < 0) or (kind = 'ADJUSTMENT' and reason is not null))
);

-- Newest first: identifiers are UUIDv7, so their order is the order of time.
create index stock_movement_newest on stock_movement (tenant_id, id desc);
create index stock_movement_of_medicine on stock_movement (tenant_id, medicine_id, id desc);
create index stock_movement_of_batch on stock_movement (tenant_id, batch_id, id desc);

alter table stock_movement enable row level security;
alter table stock_movement force row level security;
create policy stock_movement_of_tenant on stock_movement
    using (tenant_id = current_setting('app.tenant')::uuid)
    with check (tenant_id = current_setting('app.tenant')::uuid);

grant select, insert on stock_movement to :service_role;

-- The only way stock changes. It runs as the owner of the tables because the service may not write `on_hand`.
create function stock_movement_apply() returns trigger
language plpgsql security definer set search_path from current as $$
begin
    update batch set on_hand = on_hand + new.delta, version = version + 1
    where id = new.batch_id and medicine_id = new.medicine_id and tenant_id = new.tenant_id
    returning on_hand, version into new.on_hand, new.batch_version;
    if not found then
        raise exception 'the movement names no batch of this medicine'
            using errcode = 'foreign_key_violation', constraint = 'stock_movement_batch_known';
    end if;
    return new;
end
$$;

create trigger stock_movement_moves_stock before insert on stock_movement
    for each row execute function stock_movement_apply();
