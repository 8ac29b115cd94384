-- Until when a password that an administrator has seen signs in, and then only to choose another. Null: the owner's own.
alter table account add column password_expires_at timestamptz;
-- An administrator corrects what somebody signs in with.
grant update (email_index) on login to :service_role;
