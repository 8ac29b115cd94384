// A peer for the bench: "read a patient by id" and "book a slot" on the stack's own tables, as one would write them
// in Go with net/http and pgx. See Tests/Bench/README.md for what it does and leaves out.
package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const setTenant = "select set_config('app.tenant', $1, true)"

const readPatient = `select id, mrn, location_id, registered_at, active, version, data_key, personal
from patient where id = $1`

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

const insertFacts = `insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
values ($1, 'scheduling.appointment.booked.v1', $3, 1, $4, $5, $6, now()),
       ($2, 'audit.entry.recorded.v1', $3, 0, $4, $5, $7, now())`

type server struct {
	patients, bookings *pgxpool.Pool
	tokens             *verifier
	keys               *keyring
}

type uuid = pgtype.UUID

func parseUUID(text string) (id uuid, ok bool) {
	return id, len(text) == 36 && id.Set(text) == nil
}

func uuid7() (id uuid) {
	rand.Read(id.Bytes[6:])
	ms := uint64(time.Now().UnixMilli())
	binary.BigEndian.PutUint16(id.Bytes[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id.Bytes[2:], uint32(ms))
	id.Bytes[6], id.Bytes[8] = id.Bytes[6]&0x0f|0x70, id.Bytes[8]&0x3f|0x80
	id.Status = pgtype.Present
	return id
}

func (s *server) readPatient(w http.ResponseWriter, r *http.Request, who *caller) {
	id, ok := parseUUID(strings.TrimPrefix(r.URL.Path, "/v1/patients/"))
	if !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	// A batch is one round trip and, for Postgres, one transaction.
	batch := &pgx.Batch{}
	batch.Queue(setTenant, who.Tenant)
	batch.Queue(readPatient, id)
	results := s.patients.SendBatch(r.Context(), batch)
	defer results.Close()
	var p struct {
		ID           string    `json:"id"`
		MRN          string    `json:"mrn"`
		Active       bool      `json:"active"`
		LocationID   string    `json:"locationId"`
		RegisteredAt time.Time `json:"registeredAt"`
	}
	var mrn int64
	var version int
	var dataKey, sealed []byte
	_, err := results.Exec()
	if err == nil {
		err = results.QueryRow().Scan(&p.ID, &mrn, &p.LocationID, &p.RegisteredAt, &p.Active, &version, &dataKey, &sealed)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		refuse(w, 404, "not_found")
		return
	}
	if err == nil {
		err = results.Close() // The connection goes back to the pool before we decrypt.
	}
	var personal []byte
	if err == nil {
		personal, err = s.keys.open(r.Context(), s.patients, who.Tenant, p.ID, dataKey, sealed)
	}
	if err != nil {
		fail(w, err)
		return
	}
	p.MRN, p.RegisteredAt = fmt.Sprintf("MRN-%06d", mrn), p.RegisteredAt.UTC()
	body, _ := json.Marshal(&p)
	if len(personal) > 2 { // Both are objects: their members become one object's.
		body = append(append(body[:len(body)-1], ','), personal[1:]...)
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, version))
	answer(w, 200, body)
}

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
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&wish)
	slot, slotOK := parseUUID(wish.SlotID)
	patient, patientOK := parseUUID(wish.PatientID)
	if err != nil || !slotOK || !patientOK || (wish.Reason != nil && len(*wish.Reason) > 500) {
		refuse(w, 400, "invalid_request")
		return
	}
	var made *appointment
	var known *bool
	err = s.bookings.BeginFunc(r.Context(), func(tx pgx.Tx) (err error) {
		made, known, err = bookIn(r.Context(), tx, who, wish, slot, patient)
		return err
	})
	switch {
	case errors.Is(err, errRefused) && known == nil:
		refuse(w, 422, "patient_unknown")
	case errors.Is(err, errRefused):
		refuse(w, 409, "slot_taken")
	case err != nil:
		fail(w, err)
	default:
		body, _ := json.Marshal(made)
		w.Header().Set("Location", "/v1/appointments/"+made.ID)
		w.Header().Set("ETag", `"1"`)
		answer(w, 201, body)
	}
}

var errRefused = errors.New("not booked")

// bookIn claims, books and announces inside the caller's transaction; an error rolls all of it back.
func bookIn(ctx context.Context, tx pgx.Tx, who *caller, wish booking, slot, patient uuid) (*appointment, *bool, error) {
	batch := &pgx.Batch{}
	batch.Queue(setTenant, who.Tenant)
	batch.Queue(claimAndBook, slot, patient, uuid7(), time.Now(), wish.Modality, wish.Priority, wish.Reason, who.Account)
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, nil, err
	}
	var known *bool
	var booked bool
	var id, slotID, provider, patientID, location, date *string
	var start, end, bookedAt *time.Time
	if err := results.QueryRow().Scan(&known, &booked, &id, &slotID, &provider, &patientID, &location, &start, &end, &date, &bookedAt); err != nil {
		return nil, nil, err
	}
	if err := results.Close(); err != nil {
		return nil, nil, err
	}
	if !booked {
		return nil, known, errRefused
	}
	a := &appointment{*id, "booked", *slotID, *provider, *patientID, *location, *date, start.UTC(), end.UTC(), wish.Modality, wish.Priority, wish.Reason, bookedAt.UTC(), 1}
	fact, _ := json.Marshal(map[string]any{
		"appointmentId": a.ID, "patientId": a.PatientID, "providerId": a.ProviderID, "locationId": a.LocationID, "slotId": a.SlotID,
		"start": a.Start, "end": a.End, "localDate": a.Date, "modality": a.Modality, "priority": a.Priority,
	})
	audit, _ := json.Marshal(map[string]any{
		"service": "scheduling", "action": "book", "resource": "appointment", "resourceId": a.ID, "role": who.Roles[0], "allowed": true,
		"after": map[string]any{"status": a.Status, "slotId": a.SlotID, "patientId": a.PatientID, "providerId": a.ProviderID, "start": a.Start},
	})
	trace := make([]byte, 24)
	rand.Read(trace)
	traceparent := "00-" + hex.EncodeToString(trace[:16]) + "-" + hex.EncodeToString(trace[16:]) + "-01"
	_, err := tx.Exec(ctx, insertFacts, uuid7(), uuid7(), a.ID, who.Account, traceparent, string(fact), string(audit))
	return a, known, err
}

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d,"code":%q}`, status, code)
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	refuse(w, 500, "internal")
}

// pool opens connections when they are needed, so a run that only reads or only books has 16 in all.
func pool(service string) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(os.Getenv("PEER_" + strings.ToUpper(service) + "_URL"))
	must(err)
	config.MaxConns, config.LazyConnect = 16, true
	opened, err := pgxpool.ConnectConfig(context.Background(), config)
	must(err)
	return opened
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	s := &server{patients: pool("clinical"), bookings: pool("scheduling"), tokens: newVerifier(os.Getenv("JWT_PUBLIC_KEYS_FILE")), keys: newKeyring(os.Getenv("MASTER_KEY_FILE"))}
	http.HandleFunc("/v1/patients/", s.tokens.require("GET", []string{"reception", "doctor", "nurse", "admin"}, s.readPatient))
	http.HandleFunc("/v1/appointments", s.tokens.require("POST", []string{"reception", "admin"}, s.book))
	http.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
