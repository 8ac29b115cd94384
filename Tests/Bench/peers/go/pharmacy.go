package main

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v4"
)

type batch struct {
	id, lot, expiry string
	onHand          int64
}

func (s *server) dispense(w http.ResponseWriter, r *http.Request, who *caller) {
	var wish struct {
		PrescriptionID string `json:"prescriptionId"`
	}
	if !read(w, r, &wish) {
		return
	}
	id, ok := parseUUID(wish.PrescriptionID)
	if !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	now := time.Now()
	day, err := today(who.Zone, now)
	var paid bool
	if err == nil {
		err = s.pharmacy.query(r.Context(), who.Tenant, func(row pgx.Rows) error { return row.Scan(&paid) }, "select paid from settlement_card where prescription_id = $1", id)
	}
	if err == nil && !paid {
		err = refusal{422, "invoice_unpaid"}
	}
	if settle(w, err) {
		return
	}
	s.write(s.pharmacy, w, r, who, func(c *change) (*reply, error) {
		made, err := handOut(c, who, text(id), now, day)
		return replied(201, made), err
	})
}

// handOut gives all that remains of a prescription, first expired first.
func handOut(c *change, who *caller, prescription string, now time.Time, day string) (object, error) {
	var patient, status string
	var prescriber *string
	var until time.Time
	var dispensings int
	err := c.QueryRow(c.ctx, "select patient_id, prescribed_by, valid_until, status, dispensings from prescription_card where prescription_id = $1 for update", prescription).
		Scan(&patient, &prescriber, &until, &status, &dispensings)
	if err != nil {
		return nil, err
	}
	var item, medicine string
	var prescribed, dispensed int64
	// The bench's prescriptions have one item each.
	err = c.QueryRow(c.ctx, "select item_id, medicine_id, prescribed, dispensed from prescription_item_card where prescription_id = $1 order by position", prescription).
		Scan(&item, &medicine, &prescribed, &dispensed)
	if err != nil {
		return nil, err
	}
	missing := prescribed - dispensed
	switch {
	case status != "active":
		return nil, refusal{422, "prescription_not_active"}
	case missing == 0:
		return nil, refusal{409, "already_dispensed"}
	case day > until.Format("2006-01-02"):
		return nil, refusal{422, "prescription_expired"}
	}
	shelf, err := usable(c, medicine, day)
	if err != nil {
		return nil, err
	}
	id, total, lines, had := text(uuid7()), int64(0), []object{}, int64(0)
	for _, b := range shelf {
		had += b.onHand
		taken := b.onHand
		if taken > missing {
			taken = missing
		}
		if taken == 0 {
			continue
		}
		if err := move(c, who, b.id, medicine, id, -taken, now, day); err != nil {
			return nil, err
		}
		missing, total = missing-taken, total+taken
		lines = append(lines, object{"prescriptionItemId": item, "medicineId": medicine, "batchId": b.id, "lotNumber": b.lot, "expiryDate": b.expiry, "quantity": taken})
	}
	if missing > 0 {
		return nil, refusal{409, "insufficient_stock"}
	}
	if err := warn(c, medicine, had, day); err != nil {
		return nil, err
	}
	if err := c.run("update prescription_card set dispensings = $2 where prescription_id = $1", prescription, dispensings+1); err != nil {
		return nil, err
	}
	if err := c.run("update prescription_item_card set dispensed = $2 where item_id = $1", item, prescribed); err != nil {
		return nil, err
	}
	if err := c.run("insert into dispensing (id, prescription_id, patient_id, complete, prescribed_by, dispensed_by, at, local_date) values ($1, $2, $3, true, $4, $5, $6, $7)",
		id, prescription, patient, prescriber, who.Account, now, day); err != nil {
		return nil, err
	}
	for i, l := range lines {
		if err := c.run(`insert into dispensing_line (dispensing_id, position, prescription_item_id, medicine_id, batch_id, lot_number, expiry_date, quantity)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`, id, i, item, medicine, l["batchId"], l["lotNumber"], l["expiryDate"], l["quantity"]); err != nil {
			return nil, err
		}
	}
	c.announce("pharmacy.prescription.dispensed.v1", prescription, dispensings+1, object{"dispensingId": id, "prescriptionId": prescription, "patientId": patient,
		"complete": true, "quantity": total, "localDate": day})
	c.audit(who, "pharmacy", "dispense", "dispensing", id, patient, treatment, nil, object{"prescriptionId": prescription, "complete": true, "lines": len(lines), "quantity": total})
	return object{"id": id, "prescriptionId": prescription, "patientId": patient, "complete": true, "dispensedBy": who.Account, "at": now.UTC(), "lines": lines}, nil
}

func usable(c *change, medicine, day string) (shelf []batch, err error) {
	rows, err := c.Query(c.ctx, `select id, lot_number, expiry_date::text, on_hand from batch where medicine_id = any($1::uuid[]) and on_hand > 0 and not quarantined
		and expiry_date >= $2 order by expiry_date, received_at, id for update`, []string{medicine}, day)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b batch
		if err := rows.Scan(&b.id, &b.lot, &b.expiry, &b.onHand); err != nil {
			return nil, err
		}
		shelf = append(shelf, b)
	}
	return shelf, rows.Err()
}

func move(c *change, who *caller, batch, medicine, dispensing string, delta int64, now time.Time, day string) error {
	var onHand int64
	var version int
	id := text(uuid7())
	err := c.QueryRow(c.ctx, `insert into stock_movement (id, batch_id, medicine_id, kind, delta, dispensing_id, actor_id, at, local_date)
		values ($1, $2, $3, 'OUT', $4, $5, $6, $7, $8) returning on_hand, batch_version`, id, batch, medicine, delta, dispensing, who.Account, now, day).Scan(&onHand, &version)
	if err == nil {
		c.announce("pharmacy.stock.moved.v1", batch, version, object{"movementId": id, "batchId": batch, "medicineId": medicine, "kind": "OUT", "delta": delta, "onHand": onHand, "localDate": day})
	}
	return err
}

func warn(c *change, medicine string, had int64, day string) error {
	var reorder, left int64
	if err := c.QueryRow(c.ctx, "select reorder_level from medicine where id = any($1::uuid[]) order by id", []string{medicine}).Scan(&reorder); err != nil {
		return err
	}
	if err := c.QueryRow(c.ctx, `select coalesce(sum(on_hand), 0)::bigint from batch where medicine_id = $1 and on_hand > 0 and not quarantined and expiry_date >= $2`, medicine, day).Scan(&left); err != nil {
		return err
	}
	if had >= reorder && left < reorder {
		c.announce("pharmacy.stock.ran_low.v1", medicine, 0, object{"medicineId": medicine, "onHand": left, "reorderLevel": reorder})
	}
	return nil
}
