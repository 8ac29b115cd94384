-- How long staff may do nothing and stay signed in (HIPAA 164.312(a)(2)(iii), NIST SP 800-63B 4.2.3). The
-- default is for a release that knows nothing of it and still runs.
alter table tenant_setting add column staff_idle_seconds integer not null default 1800
    constraint tenant_setting_idle_bounded check (staff_idle_seconds between 300 and 86400);
