package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v4"
)

// Whose chart (row p) account $2 of site $3 may open: the rule is Services/Clinical/Charts/ChartGround.swift's.
const opens = `(exists (select from care_relation c where c.patient_id = p.id and c.ends_at > now()
        and (c.who = $2 or c.who in (select provider_id from provider_card where account_id = $2)))
    or not p.restricted and case coalesce((select policy from chart_policy), 'location')
        when 'tenant' then true
        when 'location' then p.location_id = $3
            or exists (select from care_relation c where c.patient_id = p.id and c.location_id = $3 and c.ends_at > now())
        else false end
    or exists (select from glass_grant g where g.patient_id = p.id and g.account_id = $2 and g.kind = 'opened' and g.expires_at > now()))`

const lockVisit = `select v.patient_id, v.location_id, v.local_date::text, v.status, v.token_id, v.appointment_id, v.started_at, v.version,
    v.findings, k.wrapped,
    (select json_object_agg(o.code, coalesce(o.sealed_value::text, o.value::text))::text from visit_observation o where o.visit_id = v.id)
from visit v join patient p on p.id = v.patient_id join data_key k on k.person_id = p.id
where v.id = $1 and ` + opens + ` for update of v`

const recordNumber = `select p.mrn from patient p join data_key k on k.person_id = p.id where p.id = $1 and ` + opens

const prescriptionsOfVisit = `select p.id, p.visit_id, p.patient_id, p.practitioner_id, p.issued_at, p.local_date::text, p.valid_until::text, p.words,
    i.id, i.medicine_id, i.sealed_medicine, i.form, i.strength, i.dose_unit, i.frequency_per_day, i.duration_days, i.quantity, i.unit
from prescription p join prescription_item i on i.prescription_id = p.id where p.visit_id = $1 order by p.id, i.position limit 5000`

type visit struct {
	ID             string     `json:"id"`
	Status         string     `json:"status"`
	PatientID      string     `json:"patientId"`
	PractitionerID string     `json:"practitionerId"`
	LocationID     string     `json:"locationId"`
	LocalDate      string     `json:"localDate"`
	TokenID        *string    `json:"tokenId,omitempty"`
	AppointmentID  *string    `json:"appointmentId,omitempty"`
	StartedAt      time.Time  `json:"startedAt"`
	CompletedAt    *time.Time `json:"completedAt,omitempty"`
	findings
	Vitals       map[string]float64 `json:"vitals"`
	Observations []observation      `json:"observations"`
	version      int
}

type findings struct {
	ChiefComplaint *string           `json:"chiefComplaint,omitempty"`
	SymptomDays    *int              `json:"symptomDays,omitempty"`
	Diagnoses      []json.RawMessage `json:"diagnoses"`
	TreatmentPlan  *string           `json:"treatmentPlan,omitempty"`
}

type observation struct {
	System string  `json:"system"`
	Code   string  `json:"code"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
}

type note struct {
	ID        string    `json:"id"`
	Category  string    `json:"category"`
	Text      string    `json:"text"`
	AuthorID  string    `json:"authorId"`
	WrittenAt time.Time `json:"writtenAt"`
}

type prescription struct {
	ID             string       `json:"id"`
	VisitID        string       `json:"visitId"`
	PatientID      string       `json:"patientId"`
	PractitionerID string       `json:"practitionerId"`
	IssuedAt       time.Time    `json:"issuedAt"`
	LocalDate      string       `json:"localDate"`
	ValidUntil     string       `json:"validUntil"`
	OverrideReason *string      `json:"overrideReason,omitempty"`
	Items          []prescribed `json:"items"`
	instructions   []*string
}

type prescribed struct {
	ID              string  `json:"id"`
	MedicineID      string  `json:"medicineId"`
	MedicineName    string  `json:"medicineName"`
	GenericName     *string `json:"genericName,omitempty"`
	Form            string  `json:"form"`
	Strength        *string `json:"strength,omitempty"`
	Dose            float64 `json:"dose"`
	DoseUnit        string  `json:"doseUnit"`
	FrequencyPerDay int     `json:"frequencyPerDay"`
	DurationDays    int     `json:"durationDays"`
	Quantity        int     `json:"quantity"`
	Unit            string  `json:"unit"`
	Instructions    *string `json:"instructions,omitempty"`
}

// completeVisit signs: the visit never changes again, and all of it is kept as it was signed.
func (s *server) completeVisit(w http.ResponseWriter, r *http.Request, who *caller) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/visits/")
	id, ok := parseUUID(strings.TrimSuffix(path, "/complete"))
	if !ok || !strings.HasSuffix(path, "/complete") {
		refuse(w, 404, "not_found")
		return
	}
	if !read(w, r, &struct{}{}) {
		return
	}
	now := time.Now().UTC().Truncate(time.Microsecond) // What Postgres keeps, and so what is sealed.
	day, err := today(who.Zone, now)
	var licensed bool
	if err == nil {
		err = s.patients.query(r.Context(), who.Tenant, func(row pgx.Rows) error { return row.Scan(&licensed) },
			"select coalesce(licensed_until >= $2, false) from licence_card where account_id = $1", who.Account, day)
	}
	if err == nil && !licensed {
		err = refusal{422, "practitioner_unlicensed"}
	}
	if err == nil { // Before the transaction, which holds a connection.
		_, err = s.keys.tenant(r.Context(), s.patients, who.Tenant)
	}
	if settle(w, err) {
		return
	}
	s.write(s.patients, w, r, who, func(c *change) (*reply, error) {
		signed, err := s.sign(c, who, id, now)
		if err != nil {
			return nil, err
		}
		return replied(200, signed, "ETag", etag(signed.version)), nil
	})
}

func (s *server) sign(c *change, who *caller, id uuid, now time.Time) (*visit, error) {
	v := &visit{ID: text(id), findings: findings{Diagnoses: []json.RawMessage{}}}
	var sealed, dataKey []byte
	var measured *string
	err := c.QueryRow(c.ctx, lockVisit, id, who.Account, who.Location).Scan(&v.PatientID, &v.LocationID, &v.LocalDate, &v.Status, &v.TokenID,
		&v.AppointmentID, &v.StartedAt, &v.version, &sealed, &dataKey, &measured)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, refusal{404, "not_found"}
	}
	if err != nil {
		return nil, err
	}
	box, err := s.keys.vault(c.ctx, s.patients, who.Tenant, v.PatientID, dataKey)
	if err != nil {
		return nil, err
	}
	found, err := box.open(sealed, "visit", "findings", v.ID)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(found, &v.findings); err != nil {
		return nil, err
	}
	if err := v.measure(box, measured); err != nil {
		return nil, err
	}
	if v.Status != "in_progress" {
		return nil, refusal{409, "visit_signed"}
	}
	done, err := c.Exec(c.ctx, `update visit set practitioner_id = $3, status = 'completed', completed_at = $4, findings = $5, version = version + 1
		where id = $1 and version = $2`, id, v.version, who.Account, now, box.seal(found, "visit", "findings", v.ID))
	if err != nil {
		return nil, err
	}
	if done.RowsAffected() != 1 {
		return nil, refusal{412, "stale_version"}
	}
	v.Status, v.PractitionerID, v.StartedAt, v.CompletedAt, v.version = "completed", who.Account, v.StartedAt.UTC(), &now, v.version+1
	if err := v.keep(c, who, box); err != nil {
		return nil, err
	}
	completed := object{"visitId": v.ID, "patientId": v.PatientID, "practitionerId": v.PractitionerID, "locationId": v.LocationID,
		"localDate": v.LocalDate, "completedAt": now}
	if v.TokenID != nil {
		completed["tokenId"] = v.TokenID
	}
	if v.AppointmentID != nil {
		completed["appointmentId"] = v.AppointmentID
	}
	c.announce("clinical.visit.completed.v1", v.ID, v.version, completed)
	c.audit(who, "clinical", "complete", "visit", v.ID, v.PatientID, treatment, object{"status": "in_progress"}, object{"status": v.Status})
	return v, nil
}

// keep seals the whole visit as it was signed.
func (v *visit) keep(c *change, who *caller, box vault) error {
	var number int64
	err := c.QueryRow(c.ctx, recordNumber, v.PatientID, who.Account, who.Location).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return refusal{422, "patient_unknown"}
	}
	if err != nil {
		return err
	}
	notes, err := v.notes(c, box)
	if err != nil {
		return err
	}
	prescriptions, err := v.prescriptions(c, box)
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		*visit
		MRN           string          `json:"mrn"`
		Notes         []note          `json:"notes"`
		Prescriptions []*prescription `json:"prescriptions"`
	}{v, mrn(number), notes, prescriptions})
	if err != nil {
		return err
	}
	return c.run("insert into visit_snapshot (visit_id, patient_id, local_date, signed_by, signed_at, body) values ($1, $2, $3, $4, $5, $6)",
		v.ID, v.PatientID, v.LocalDate, v.PractitionerID, v.CompletedAt, box.seal(body, "visit_snapshot", "body", v.ID))
}

var vitals = []struct{ name, loinc, unit string }{
	{"systolic", "8480-6", "mm[Hg]"}, {"diastolic", "8462-4", "mm[Hg]"}, {"temperatureC", "8310-5", "Cel"}, {"pulse", "8867-4", "/min"},
	{"respiratoryRate", "9279-1", "/min"}, {"spo2", "59408-5", "%"}, {"weightKg", "29463-7", "kg"}, {"heightCm", "8302-2", "cm"},
}

// measure opens what was measured, a JSON object by code: under the name of each sign, and coded for other systems.
func (v *visit) measure(box vault, measured *string) error {
	v.Vitals, v.Observations = map[string]float64{}, []observation{}
	if measured == nil {
		return nil
	}
	var resting map[string]string
	if err := json.Unmarshal([]byte(*measured), &resting); err != nil {
		return err
	}
	for _, sign := range vitals {
		if resting[sign.loinc] == "" {
			continue
		}
		value, err := number(box, resting[sign.loinc], v.ID+" "+sign.loinc)
		if err != nil {
			return err
		}
		v.Vitals[sign.name] = value
		v.Observations = append(v.Observations, observation{"http://loinc.org", sign.loinc, value, sign.unit})
	}
	weight, metres := v.Vitals["weightKg"], v.Vitals["heightCm"]/100
	if weight > 0 && metres > 0 {
		v.Vitals["bmi"] = math.Round(weight/(metres*metres)*10) / 10
		v.Observations = append(v.Observations, observation{"http://loinc.org", "39156-5", v.Vitals["bmi"], "kg/m2"})
	}
	return nil
}

// number is a measured value as Postgres writes it: a sealed one begins with `\x`, one from before values were sealed does not.
func number(box vault, resting, row string) (float64, error) {
	if !strings.HasPrefix(resting, `\x`) {
		return strconv.ParseFloat(resting, 64)
	}
	sealed, err := hex.DecodeString(resting[2:])
	if err != nil {
		return 0, err
	}
	bits, err := box.open(sealed, "visit_observation", "sealed_value", row)
	if err != nil || len(bits) != 8 {
		return 0, errors.New("not a measured value")
	}
	return math.Float64frombits(binary.BigEndian.Uint64(bits)), nil
}

func (v *visit) notes(c *change, box vault) ([]note, error) {
	notes := []note{}
	rows, err := c.Query(c.ctx, "select id, category, author_id, written_at, body from visit_note where visit_id = $1 order by id limit 1000", v.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one note
		var body []byte
		if err := rows.Scan(&one.ID, &one.Category, &one.AuthorID, &one.WrittenAt, &body); err != nil {
			return nil, err
		}
		words, err := box.open(body, "visit_note", "body", one.ID)
		if err != nil {
			return nil, err
		}
		one.Text, one.WrittenAt = string(words), one.WrittenAt.UTC()
		notes = append(notes, one)
	}
	return notes, rows.Err()
}

// prescriptions are read with their items: rows of one stand together.
func (v *visit) prescriptions(c *change, box vault) ([]*prescription, error) {
	all := []*prescription{}
	rows, err := c.Query(c.ctx, prescriptionsOfVisit, v.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		p, item := &prescription{}, prescribed{}
		var words, medicine []byte
		if err := rows.Scan(&p.ID, &p.VisitID, &p.PatientID, &p.PractitionerID, &p.IssuedAt, &p.LocalDate, &p.ValidUntil, &words, &item.ID,
			&item.MedicineID, &medicine, &item.Form,
			&item.Strength, &item.DoseUnit, &item.FrequencyPerDay, &item.DurationDays, &item.Quantity, &item.Unit); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].ID != p.ID {
			if err := p.open(box, words); err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		p = all[len(all)-1]
		if err := item.open(box, medicine); err != nil {
			return nil, err
		}
		if at := len(p.Items); at < len(p.instructions) {
			item.Instructions = p.instructions[at]
		}
		p.Items = append(p.Items, item)
	}
	return all, rows.Err()
}

func (p *prescription) open(box vault, sealed []byte) error {
	plain, err := box.open(sealed, "prescription", "words", p.ID)
	if err != nil {
		return err
	}
	var words struct {
		OverrideReason *string
		Instructions   []*string
	}
	err = json.Unmarshal(plain, &words)
	p.IssuedAt, p.OverrideReason, p.instructions = p.IssuedAt.UTC(), words.OverrideReason, words.Instructions
	return err
}

func (i *prescribed) open(box vault, sealed []byte) error {
	plain, err := box.open(sealed, "prescription_item", "sealed_medicine", i.ID)
	if err != nil {
		return err
	}
	var words struct {
		Name        string
		GenericName *string
		Dose        float64 // in thousandths
	}
	err = json.Unmarshal(plain, &words)
	i.MedicineName, i.GenericName, i.Dose = words.Name, words.GenericName, words.Dose/1000
	return err
}
