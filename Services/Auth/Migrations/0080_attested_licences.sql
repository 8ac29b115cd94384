-- Which papers the administrator had before them who opened a doctor's account with a licence: no pages were handed in.
alter table licence add column seen text[] not null default '{}';
-- Both, or it waits for pages.
alter table licence add constraint licence_seen_whole
    check (seen = '{}' or seen @> array['licence', 'identity']);
