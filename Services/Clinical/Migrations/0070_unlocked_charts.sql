-- Who unlocks a chart of somebody they do not treat is judged as those who open one are: the same queue. Such an entry
-- opens nothing itself, so it ends when it begins.
alter table glass_grant add column kind text not null default 'opened'
    constraint glass_grant_kind_known check (kind in ('opened', 'unlocked'));
alter table glass_grant drop constraint glass_grant_ends;
alter table glass_grant add constraint glass_grant_ends check (
    case kind
        when 'opened' then expires_at > granted_at and expires_at <= granted_at + interval '60 minutes'
        else expires_at = granted_at
    end);
