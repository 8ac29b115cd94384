package main

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v4"
)

const slotsOfDay = `select id, provider_id, location_id, starts_at, ends_at, local_date::text, status, block_reason, version
from slot where provider_id = $1 and local_date = $2 order by starts_at, id limit 101`

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
		err := row.Scan(&one.ID, &one.ProviderID, &one.LocationID, &one.Start, &one.End, &one.Date, &one.Status, &one.Reason, &one.Version)
		one.Start, one.End = one.Start.UTC(), one.End.UTC()
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
      and exists (select from provider where provider.id = slot.provider_id and provider.is_active)
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
	var made *appointment
	err := s.bookings.transaction(r.Context(), who.Tenant, func(c *change) (err error) {
		made, err = bookIn(c, who, wish, slotID, patient)
		return err
	})
	if settle(w, err) {
		return
	}
	w.Header().Set("Location", "/v1/appointments/"+made.ID)
	w.Header().Set("ETag", `"1"`)
	answer(w, 201, made)
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
	c.announce("scheduling.appointment.booked.v1", a.ID, 1, object{
		"appointmentId": a.ID, "patientId": a.PatientID, "providerId": a.ProviderID, "locationId": a.LocationID, "slotId": a.SlotID,
		"start": a.Start, "end": a.End, "localDate": a.Date, "modality": a.Modality, "priority": a.Priority,
	})
	c.audit(who, "scheduling", "book", "appointment", a.ID, a.PatientID, treatment, nil, object{
		"status": a.Status, "slotId": a.SlotID, "patientId": a.PatientID, "providerId": a.ProviderID, "start": a.Start,
	})
	return a, nil
}
