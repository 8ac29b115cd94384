-- Whose chart is restricted: of their appointments others than the practitioner and the desk learn that they are, no more.
-- Of two words from clinical the later counts.
alter table patient_card add column is_restricted boolean not null default false;
alter table patient_card add column restriction_at timestamptz;
