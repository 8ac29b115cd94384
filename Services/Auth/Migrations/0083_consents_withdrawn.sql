-- What a person agreed to, they take back.
grant delete on client_consent to :service_role;
