package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v4"
)

const slotColumns = `id, provider_id, location_id, starts_at, ends_at, local_date::text, status, block_reason, version`
const slotsOfDay = `select ` + slotColumns + ` from slot where provider_id = $1 and local_date = $2 order by starts_at, id limit 101`

type slot struct {
	ID         string    `json:"id"`
	ProviderID string    `json:"providerId"`
	LocationID string    `json:"locationId"`
	Date       string    `json:"date"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Status     string    `json:"status"`
	Reason     *string   `json:"reason,omitempty"`
	Version    int       `json:"version"`
}

func (s *slot) scan(row pgx.Row) error {
	err := row.Scan(&s.ID, &s.ProviderID, &s.LocationID, &s.Start, &s.End, &s.Date, &s.Status, &s.Reason, &s.Version)
	s.Start, s.End = s.Start.UTC(), s.End.UTC()
	return err
}

func (s *server) listSlots(w http.ResponseWriter, r *http.Request, who *caller) {
	query := r.URL.Query()
	provider, ok := parseUUID(query.Get("providerId"))
	day, err := time.Parse("2006-01-02", query.Get("date"))
	if !ok || err != nil {
		refuse(w, 400, "invalid_request")
		return
	}
	items := []slot{}
	err = s.bookings.query(r.Context(), who.Tenant, func(row pgx.Rows) error {
		var one slot
		err := one.scan(row)
		items = append(items, one)
		return err
	}, slotsOfDay, provider, day)
	if settle(w, err) {
		return
	}
	if len(items) > 100 {
		items = items[:100]
	}
	answer(w, 200, object{"items": items})
}

// The same statement as Services/Scheduling/Appointments/AppointmentStore.swift.
const claimAndBook = `with patient as (
    select is_active from patient_card where patient_id = $2
), claimed as (
    update slot set status = 'booked', version = version + 1
    where id = $1 and status = 'free' and starts_at > $4
      and (select is_active from patient)
      and exists (select from provider where provider.id = slot.provider_id and provider.is_active and provider.licensed_until >= slot.local_date)
    returning id, provider_id, location_id, starts_at, ends_at, local_date
), booked as (
    insert into appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at,
                             local_date, modality, priority, reason, booked_by)
    select $3, id, provider_id, $2, location_id, starts_at, ends_at, local_date, $5, $6, $7, $8
    from claimed on conflict do nothing
    returning id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date::text, booked_at
)
select (select is_active from patient), booked.id is not null, booked.*
from (values (1)) as always left join booked on true`

type appointment struct {
	ID         string    `json:"id"`
	Status     string    `json:"status"`
	SlotID     string    `json:"slotId"`
	ProviderID string    `json:"providerId"`
	PatientID  string    `json:"patientId"`
	LocationID string    `json:"locationId"`
	Date       string    `json:"date"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Modality   string    `json:"modality"`
	Priority   string    `json:"priority"`
	Reason     *string   `json:"reason,omitempty"`
	BookedAt   time.Time `json:"bookedAt"`
	Version    int       `json:"version"`
}

func (a *appointment) fact() object {
	return object{
		"appointmentId": a.ID, "patientId": a.PatientID, "providerId": a.ProviderID, "locationId": a.LocationID, "slotId": a.SlotID,
		"start": a.Start, "end": a.End, "localDate": a.Date, "modality": a.Modality, "priority": a.Priority,
	}
}

func (a *appointment) trace() object {
	return object{"status": a.Status, "slotId": a.SlotID, "patientId": a.PatientID, "providerId": a.ProviderID, "start": a.Start}
}

type booking struct {
	SlotID    string  `json:"slotId"`
	PatientID string  `json:"patientId"`
	Modality  string  `json:"modality"`
	Priority  string  `json:"priority"`
	Reason    *string `json:"reason"`
}

func (s *server) book(w http.ResponseWriter, r *http.Request, who *caller) {
	wish := booking{Modality: "in_person", Priority: "routine"}
	if !read(w, r, &wish) {
		return
	}
	slotID, slotOK := parseUUID(wish.SlotID)
	patient, patientOK := parseUUID(wish.PatientID)
	if !slotOK || !patientOK || (wish.Reason != nil && len(*wish.Reason) > 500) {
		refuse(w, 400, "invalid_request")
		return
	}
	s.write(s.bookings, w, r, who, func(c *change) (*reply, error) {
		made, err := bookIn(c, who, wish, slotID, patient)
		if err != nil {
			return nil, err
		}
		return replied(201, made, "Location", "/v1/appointments/"+made.ID, "ETag", etag(made.Version)), nil
	})
}

// bookIn claims, books and announces inside the caller's transaction; an error rolls all of it back.
func bookIn(c *change, who *caller, wish booking, slotID, patient uuid) (*appointment, error) {
	var known *bool
	var booked bool
	var id, slot, provider, patientID, location, date *string
	var start, end, bookedAt *time.Time
	err := c.QueryRow(c.ctx, claimAndBook, slotID, patient, uuid7(), time.Now(), wish.Modality, wish.Priority, wish.Reason, who.Account).
		Scan(&known, &booked, &id, &slot, &provider, &patientID, &location, &start, &end, &date, &bookedAt)
	switch {
	case err != nil:
		return nil, err
	case known == nil:
		return nil, refusal{422, "patient_unknown"}
	case !booked:
		return nil, refusal{409, "slot_taken"}
	}
	a := &appointment{*id, "booked", *slot, *provider, *patientID, *location, *date, start.UTC(), end.UTC(), wish.Modality, wish.Priority, wish.Reason, bookedAt.UTC(), 1}
	c.announce("scheduling.appointment.booked.v1", a.ID, 1, a.fact())
	c.audit(who, "scheduling", "book", "appointment", a.ID, a.PatientID, treatment, nil, a.trace())
	return a, nil
}

const lockAppointment = `select id, status, slot_id, provider_id, patient_id, location_id, local_date::text, starts_at, ends_at, modality,
    priority, reason, booked_at, version from appointment where id = $1 for no key update`

// reschedule moves an appointment to another slot, if nobody changed it since the caller read it.
func (s *server) reschedule(w http.ResponseWriter, r *http.Request, who *caller) {
	id, ok := parseUUID(strings.TrimPrefix(r.URL.Path, "/v1/appointments/"))
	if !ok {
		refuse(w, 404, "not_found")
		return
	}
	tag := r.Header.Get("If-Match")
	if tag == "" {
		refuse(w, 428, "precondition_required")
		return
	}
	var wish struct {
		SlotID string `json:"slotId"`
	}
	if !read(w, r, &wish) {
		return
	}
	target, ok := parseUUID(wish.SlotID)
	if !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	s.write(s.bookings, w, r, who, func(c *change) (*reply, error) {
		moved, err := moveTo(c, who, id, target, tag)
		if err != nil {
			return nil, err
		}
		return replied(200, moved, "ETag", etag(moved.Version)), nil
	})
}

// moveTo locks the appointment before the slots: everybody does, so no two wait for each other.
func moveTo(c *change, who *caller, id, target uuid, tag string) (*appointment, error) {
	a := &appointment{}
	err := c.QueryRow(c.ctx, lockAppointment, id).Scan(&a.ID, &a.Status, &a.SlotID, &a.ProviderID, &a.PatientID, &a.LocationID, &a.Date,
		&a.Start, &a.End, &a.Modality, &a.Priority, &a.Reason, &a.BookedAt, &a.Version)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, refusal{404, "not_found"}
	case err != nil:
		return nil, err
	case tag != etag(a.Version):
		return nil, refusal{412, "stale_version"}
	}
	a.Start, a.End, a.BookedAt = a.Start.UTC(), a.End.UTC(), a.BookedAt.UTC()
	to, err := lockTarget(c, a.SlotID, text(target))
	switch {
	case err != nil:
		return nil, err
	case to.ID == "":
		return nil, refusal{404, "not_found"}
	case a.Status != "booked":
		return nil, refusal{409, "not_reschedulable"}
	case to.Status == "booked":
		return nil, refusal{409, "slot_taken"}
	case !to.Start.After(time.Now()):
		return nil, refusal{422, "slot_in_past"}
	case to.Status == "blocked":
		return nil, refusal{409, "slot_blocked"}
	}
	if err := requireBookable(c, to); err != nil {
		return nil, err
	}
	if err := c.run("update slot set status = 'free', version = version + 1 where id = $1 and status = 'booked'", a.SlotID); err != nil {
		return nil, err
	}
	if err := c.run("update slot set status = 'booked', version = version + 1 where id = $1", to.ID); err != nil {
		return nil, err
	}
	before := *a
	a.SlotID, a.ProviderID, a.LocationID, a.Start, a.End, a.Date, a.Version = to.ID, to.ProviderID, to.LocationID, to.Start, to.End, to.Date, a.Version+1
	err = c.run(`update appointment set slot_id = $2, provider_id = $3, location_id = $4, starts_at = $5, ends_at = $6, local_date = $7, version = $8
		where id = $1`,
		a.ID, a.SlotID, a.ProviderID, a.LocationID, a.Start, a.End, a.Date, a.Version)
	if breaks(err, "appointment_patient_in_one_place") {
		return nil, refusal{409, "patient_busy"}
	}
	if err != nil {
		return nil, err
	}
	moved := a.fact()
	moved["previousStart"] = before.Start
	if before.ProviderID != a.ProviderID {
		moved["previousProviderId"] = before.ProviderID
	}
	c.announce("scheduling.appointment.rescheduled.v1", a.ID, a.Version, moved)
	c.audit(who, "scheduling", "change", "appointment", a.ID, a.PatientID, treatment, before.trace(), a.trace())
	return a, nil
}

// lockTarget locks both slots, in the order of their ids, and answers with the one to move to; without an id when there is none.
func lockTarget(c *change, old, target string) (to slot, err error) {
	rows, err := c.Query(c.ctx, "select "+slotColumns+" from slot where id = any($1::uuid[]) order by id for no key update", []string{old, target})
	if err != nil {
		return to, err
	}
	defer rows.Close()
	for rows.Next() {
		var one slot
		if err := one.scan(rows); err != nil {
			return to, err
		}
		if one.ID == target {
			to = one
		}
	}
	return to, rows.Err()
}

func requireBookable(c *change, to slot) error {
	var active, licensed bool
	err := c.QueryRow(c.ctx, "select is_active, licensed_until >= $2 from provider where id = $1", to.ProviderID, to.Date).Scan(&active, &licensed)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && !active:
		return refusal{422, "provider_inactive"}
	case err == nil && !licensed:
		return refusal{422, "provider_unlicensed"}
	}
	return err
}
