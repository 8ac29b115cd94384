-- Until when a practitioner may be booked: the last day of the licence that auth's administrator has seen. Who was
-- listed before licences were looked at stays bookable; who is listed from now on is not before somebody has looked.
alter table provider add column licensed_until date not null default '2200-12-31';
alter table account_card add column licensed_until date;
alter table account_card add column licence_revision int not null default 0;
-- All tenants' doctors at once: for this one statement the owner is not held to one tenant.
alter table account_card no force row level security;
update account_card set licensed_until = '2200-12-31' where is_doctor;
alter table account_card force row level security;
