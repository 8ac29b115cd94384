package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v4"
)

const readPatient = `select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted
from patient p join data_key k on k.person_id = p.id where p.id = $1`

func mrn(number int64) string { return fmt.Sprintf("MRN-%06d", number) }

func (s *server) readPatient(w http.ResponseWriter, r *http.Request, who *caller) {
	id, ok := parseUUID(strings.TrimPrefix(r.URL.Path, "/v1/patients/"))
	if !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	var p struct {
		ID           string    `json:"id"`
		MRN          string    `json:"mrn"`
		Active       bool      `json:"active"`
		LocationID   string    `json:"locationId"`
		RegisteredAt time.Time `json:"registeredAt"`
		Restricted   bool      `json:"restricted"`
	}
	var number int64
	var version int
	var dataKey, sealed []byte
	seen := object{"action": "read", "resource": "patient", "resourceId": text(id), "patientId": text(id), "after": object{"ground": "role"}}
	err := s.patients.look(r.Context(), who, "clinical", seen, func(row pgx.Rows) error {
		return row.Scan(&p.ID, &number, &p.LocationID, &p.RegisteredAt, &p.Active, &version, &dataKey, &sealed, &p.Restricted)
	}, readPatient, id)
	if err == nil && p.ID == "" {
		err = refusal{404, "not_found"}
	}
	var box vault
	if err == nil {
		box, err = s.keys.vault(r.Context(), s.patients, who.Tenant, p.ID, dataKey)
	}
	var personal []byte
	if err == nil {
		personal, err = box.open(sealed, "patient", "personal", p.ID)
	}
	if settle(w, err) {
		return
	}
	p.MRN, p.RegisteredAt = mrn(number), p.RegisteredAt.UTC()
	body, _ := json.Marshal(&p)
	if !who.hasOne([]string{"doctor", "nurse"}) { // The desk is not told what somebody suffers from.
		personal, err = without(personal, "allergies", "conditions")
		if settle(w, err) {
			return
		}
	}
	if len(personal) > 2 { // Both are objects: their members become one object's.
		body = append(append(body[:len(body)-1], ','), personal[1:]...)
	}
	w.Header().Set("ETag", etag(version))
	answer(w, 200, body)
}

func without(text []byte, names ...string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for _, name := range names {
		delete(members, name)
	}
	return json.Marshal(members)
}

// Names in clear: who writes the whole name or begins it is found by the b-tree, who misspells it by trigrams.
const nameColumns = `select id, mrn, name, to_char(birth_date, 'YYYY-MM-DD'), sex, phone, active from bench.name `
const begunName = nameColumns + `where tenant_id = current_setting('app.tenant')::uuid
	and lower(name) ~>=~ lower($1) and lower(name) ~<~ (lower($1) || chr(1114111)) order by lower(name) using ~<~ limit 10`
const similarName = nameColumns + `where tenant_id = current_setting('app.tenant')::uuid and name % $1 order by similarity(name, $1) desc, id limit 10`

type patientLine struct {
	ID        string  `json:"id"`
	MRN       string  `json:"mrn"`
	Name      string  `json:"name"`
	BirthDate *string `json:"birthDate,omitempty"`
	Sex       *string `json:"sex,omitempty"`
	Phone     *string `json:"phone,omitempty"`
	Active    bool    `json:"active"`
}

func (s *server) searchPatients(w http.ResponseWriter, r *http.Request, who *caller) {
	typed := r.URL.Query().Get("search")
	items := []patientLine{}
	keep := func(row pgx.Rows) error {
		var line patientLine
		var number int64
		err := row.Scan(&line.ID, &number, &line.Name, &line.BirthDate, &line.Sex, &line.Phone, &line.Active)
		line.MRN = mrn(number)
		items = append(items, line)
		return err
	}
	err := s.patients.query(r.Context(), who.Tenant, keep, begunName, typed)
	if err == nil && len(items) == 0 {
		err = s.patients.query(r.Context(), who.Tenant, keep, similarName, typed)
	}
	if !settle(w, err) {
		answer(w, 200, object{"items": items})
	}
}
