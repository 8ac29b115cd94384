-- Searches read the index alone where vacuum has said that all rows of a page are visible: it comes by after 2 % of
-- new keys instead of 20 %.
alter table patient_key set (autovacuum_vacuum_insert_scale_factor = 0.02);
