-- Who prescribed does not hand out as well: a second pair of eyes is what a counter is for.
alter table prescription_card add column prescribed_by uuid;
alter table dispensing add column prescribed_by uuid;
alter table dispensing add constraint dispensing_by_another check (dispensed_by <> prescribed_by);
