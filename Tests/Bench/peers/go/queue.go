package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v4"
)

const tokenColumns = `id, sequence, patient_id, provider_id, location_id, appointment_id, local_date::text, priority, due_at, issued_at, status, called_at, completed_at, waited_seconds, version`

// The same statements as Services/Queue/Tokens/TokenStore.swift.
const issueToken = `with counted as (
    insert into queue_day as d (location_id, local_date, last_sequence)
    select $4, $6, 1 where not exists (select from token where appointment_id = $5 and status <> 'LEFT')
    on conflict on constraint queue_day_key do update
    set last_sequence = d.last_sequence + 1, version = d.version + 1
    returning last_sequence
), issued as (
    insert into token (id, sequence, patient_id, provider_id, location_id, appointment_id, local_date, priority, urgency, lane, due_at, issued_at)
    select $1, last_sequence, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from counted
    on conflict do nothing
    returning *
)
select 1 + (select count(*) from token t where t.provider_id = $3 and t.local_date = $6 and t.status = 'WAITING'
            and (t.urgency, t.lane, t.due_at, t.sequence) < (issued.urgency, issued.lane, issued.due_at, issued.sequence)), ` + tokenColumns + ` from issued`

// Who may not practise calls nobody.
const licensedProvider = `select p.provider_id from provider_card p join licence_card l on l.account_id = p.account_id and l.licensed_until >= $2
where p.account_id = $1`

const callNext = `with called as (
    update token set status = 'WITH_DOCTOR', called_at = $3, version = version + 1,
        waited_seconds = coalesce(waited_seconds, greatest(extract(epoch from $3::timestamptz - issued_at)::int, 0))
    where id = (select id from token where provider_id = $1 and local_date = $2 and status = 'WAITING'
                and not exists (select from token s where s.provider_id = $1 and s.local_date = $2 and s.status = 'WITH_DOCTOR')
                order by urgency, lane, due_at, sequence limit 1 for no key update skip locked)
    returning *
), bumped as (
    update queue_day d set version = d.version + 1 from called where d.location_id = called.location_id and d.local_date = called.local_date
)
select ` + tokenColumns + ` from called`

type token struct {
	ID          string     `json:"id"`
	Number      string     `json:"number"`
	Status      string     `json:"status"`
	Provider    string     `json:"providerId"`
	Patient     string     `json:"patientId"`
	Appointment *string    `json:"appointmentId,omitempty"`
	Location    string     `json:"locationId"`
	Date        string     `json:"date"`
	Priority    string     `json:"priority"`
	Position    *int       `json:"position,omitempty"`
	Minutes     *int64     `json:"estimatedWaitMinutes,omitempty"`
	Room        *string    `json:"room,omitempty"`
	Presence    *string    `json:"presence,omitempty"`
	IssuedAt    time.Time  `json:"issuedAt"`
	CalledAt    *time.Time `json:"calledAt,omitempty"`
	CompletedAt *time.Time `json:"completedAt,omitempty"`
	Version     int        `json:"version"`
	waited      *int
}

func (t *token) scan(row pgx.Row, before ...any) error {
	var sequence int
	var due time.Time
	err := row.Scan(append(before, &t.ID, &sequence, &t.Patient, &t.Provider, &t.Location, &t.Appointment, &t.Date, &t.Priority, &due,
		&t.IssuedAt, &t.Status, &t.CalledAt, &t.CompletedAt, &t.waited, &t.Version)...)
	if err != nil {
		return err
	}
	round, at := (sequence-1)/999, (sequence-1)%999
	t.Number = fmt.Sprintf("%c-%03d", 'A'+rune(round%26), at+1)
	t.IssuedAt = t.IssuedAt.UTC()
	t.CalledAt, t.CompletedAt = inUTC(t.CalledAt), inUTC(t.CompletedAt)
	return nil
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

func (t *token) trace() object {
	return object{"status": t.Status, "number": t.Number, "patientId": t.Patient, "providerId": t.Provider}
}

func today(zone string, now time.Time) (string, error) {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return "", err
	}
	return now.In(place).Format("2006-01-02"), nil
}

func (s *server) checkIn(w http.ResponseWriter, r *http.Request, who *caller) {
	var wish struct {
		AppointmentID string `json:"appointmentId"`
	}
	if !read(w, r, &wish) {
		return
	}
	id, ok := parseUUID(wish.AppointmentID)
	if !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	now := time.Now()
	var patient, provider, location, date, status, priority, zone string
	var start time.Time
	err := s.queue.query(r.Context(), who.Tenant, func(row pgx.Rows) error {
		return row.Scan(&patient, &provider, &location, &start, &date, &status, &priority)
	}, "select patient_id, provider_id, location_id, starts_at, local_date::text, status, priority from appointment_card where appointment_id = $1", id)
	if err == nil {
		err = s.queue.query(r.Context(), who.Tenant, func(row pgx.Rows) error { return row.Scan(&zone) }, "select zone from location_card where location_id = $1", location)
	}
	day, dayErr := today(zone, now)
	switch {
	case err != nil:
	case patient == "":
		err = refusal{422, "appointment_unknown"}
	case status == "cancelled" || status == "fulfilled":
		err = refusal{422, "appointment_" + status}
	case dayErr != nil || day != date:
		err = refusal{422, "not_today"}
	}
	if settle(w, err) {
		return
	}
	lane, due := 1, now
	if now.Before(start.Add(15 * time.Minute)) {
		lane, due = 0, start
	}
	urgency := map[string]int{"emergency": 0, "urgent": 1, "routine": 2}[priority]
	s.write(s.queue, w, r, who, func(c *change) (*reply, error) {
		var t token
		var position int
		err := t.scan(c.QueryRow(c.ctx, issueToken, uuid7(), patient, provider, location, id, date, priority, urgency, lane, due, now), &position)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, refusal{409, "already_checked_in"}
		}
		if err != nil {
			return nil, err
		}
		t.Position = &position
		c.announce("queue.token.issued.v1", t.ID, t.Version, object{"tokenId": t.ID, "number": t.Number, "patientId": t.Patient, "providerId": t.Provider,
			"locationId": t.Location, "appointmentId": t.Appointment, "localDate": t.Date, "priority": t.Priority, "issuedAt": t.IssuedAt})
		c.audit(who, "queue", "check-in", "token", t.ID, t.Patient, treatment, nil, t.trace())
		return replied(201, &t), nil
	})
}

func (s *server) callNext(w http.ResponseWriter, r *http.Request, who *caller) {
	if !read(w, r, &struct{}{}) {
		return
	}
	now := time.Now()
	day, err := today(who.Zone, now)
	var provider string
	if err == nil {
		err = s.queue.query(r.Context(), who.Tenant, func(row pgx.Rows) error { return row.Scan(&provider) },
			licensedProvider, who.Account, day)
	}
	if err == nil && provider == "" {
		err = refusal{422, "provider_unknown"}
	}
	if settle(w, err) {
		return
	}
	s.write(s.queue, w, r, who, func(c *change) (*reply, error) {
		var t token
		if err := c.run("select from provider_card where provider_id = $1 for update", provider); err != nil {
			return nil, err
		}
		err := t.scan(c.QueryRow(c.ctx, callNext, provider, day, now))
		if errors.Is(err, pgx.ErrNoRows) {
			var serving bool
			if err := c.QueryRow(c.ctx, "select exists (select from token where provider_id = $1 and local_date = $2 and status = 'WITH_DOCTOR')", provider, day).Scan(&serving); err != nil {
				return nil, err
			}
			if serving {
				return nil, refusal{409, "already_serving"}
			}
			return nil, refusal{204, ""}
		}
		if err != nil {
			return nil, err
		}
		c.announce("queue.token.called.v1", t.ID, t.Version, object{"tokenId": t.ID, "patientId": t.Patient, "providerId": t.Provider, "locationId": t.Location,
			"localDate": t.Date, "waitedSeconds": *t.waited, "calledAt": *t.CalledAt})
		c.audit(who, "queue", "call", "token", t.ID, t.Patient, treatment, nil, t.trace())
		return replied(200, &t), nil
	})
}
