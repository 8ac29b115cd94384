-- The last day on which somebody acts for a child is often the eve of a birthday: it rests sealed. In clear stays the year,
-- as its last day, which the database compares; of a row without `last_day` it is the day itself, until it is sealed.
alter table proxy_grant add column last_day bytea;
alter table proxy_grant add constraint proxy_grant_of_a_child_has_an_end check (
    (relation not in ('parent', 'guardian') and proof <> 'birth_certificate')
    or (valid_until is not null and valid_until <= make_date(extract(year from valid_from + 6575)::int, 12, 31))
    or revoked_at is not null) not valid;
-- It says what this one said, to the year.
alter table proxy_grant drop constraint proxy_grant_of_a_child_ends;
alter table proxy_grant add constraint proxy_grant_last_day_sealed check (
    last_day is null or (extract(month from valid_until) = 12 and extract(day from valid_until) = 31));
create index proxy_grant_unsealed on proxy_grant (tenant_id) where valid_until is not null and last_day is null;
