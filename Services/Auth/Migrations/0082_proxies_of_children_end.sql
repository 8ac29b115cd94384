-- Who acts as a parent or by a birth certificate does so until a day, as a guardian does: within eighteen years of the first,
-- when whoever is a child now has come of age. Those granted before stay as they are.
alter table proxy_grant add constraint proxy_grant_of_a_child_ends check (
    (relation not in ('parent', 'guardian') and proof <> 'birth_certificate')
    or (valid_until is not null and valid_until <= valid_from + 6575)
    or revoked_at is not null) not valid;
-- It says what this one said, and less.
alter table proxy_grant drop constraint proxy_grant_guardian_ends;
