-- A licence that is being renewed: until somebody has verified the new particulars, the old ones are good to their day.
alter table licence add column in_force_until date;
-- When this submission was begun: pages of an earlier one do not count for it. Null for a first.
alter table licence add column opened_at timestamptz;
-- All tenants' licences at once: for this one statement the owner is not held to one tenant.
alter table licence no force row level security;
update licence set in_force_until = valid_until where status = 'verified';
alter table licence force row level security;
alter table licence add constraint licence_verified_is_in_force check (status <> 'verified' or in_force_until is not null);

-- A guardian acts until a day. Those granted before stay as they are.
alter table proxy_grant add constraint proxy_grant_guardian_ends
    check (relation <> 'guardian' or valid_until is not null or revoked_at is not null) not valid;
