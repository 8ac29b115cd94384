-- Whether the practitioner still works here: nobody is given a place in the line of one who does not.
alter table provider_card add column is_active boolean not null default true;
