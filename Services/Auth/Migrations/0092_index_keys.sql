-- The keys that addresses are found by can be exchanged: an account has a row for each of them while they are.
alter table login drop constraint login_account_once;
create index login_account on login (account_id);

-- What a client knows people by does not change with them: it is made with a key of the client's own, sealed.
alter table client add column subject_key bytea;
grant update (subject_key) on client to :service_role;
