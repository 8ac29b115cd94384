-- A practitioner may want to be asked: then what a patient books is a request until it is answered or its time is over.
alter table provider add column booking_mode text not null default 'direct'
    constraint provider_booking_mode_known check (booking_mode in ('direct', 'request'));
-- How long a request waits for its answer; never beyond the start.
alter table provider add column request_hours int not null default 24
    constraint provider_request_hours_bounded check (request_hours between 1 and 168);

alter table appointment add column answer_by timestamptz;
alter table appointment drop constraint appointment_status_known;
alter table appointment add constraint appointment_status_known check (
    status in ('requested', 'booked', 'arrived', 'fulfilled', 'cancelled', 'noshow', 'declined', 'expired')) not valid;
-- Nothing waits for ever: not for an answer, and not beyond the start.
alter table appointment add constraint appointment_request_ends check (
    status <> 'requested' or (answer_by is not null and answer_by <= starts_at)) not valid;
