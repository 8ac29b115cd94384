-- More ways to end a session exist (a client's logout, a code used twice, a revoked grant), and each release may add
-- one: the words are the source's, their form is the table's.
alter table session drop constraint session_end_reason_known;
alter table session add constraint session_end_reason_word check (end_reason ~ '^[a-z_]{3,40}$');
