-- A code to another address that somebody wants to sign in with, and the notice that an account's password, factors or
-- address have changed, leave by the same door.
alter table contact_request drop constraint contact_request_purpose_known;
alter table contact_request add constraint contact_request_purpose_known
    check (purpose in ('sign_up', 'reset', 'change', 'notice'));
