package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v4"
)

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type line struct {
	Description string  `json:"description"`
	Quantity    int64   `json:"quantity"`
	UnitPrice   money   `json:"unitPrice"`
	TaxPercent  float64 `json:"taxPercent"`
}

func (s *server) invoice(w http.ResponseWriter, r *http.Request, who *caller) {
	var wish struct {
		VisitID string `json:"visitId"`
		Mode    string `json:"mode"`
		Lines   []line `json:"lines"`
	}
	if !read(w, r, &wish) {
		return
	}
	visit, ok := parseUUID(wish.VisitID)
	if !ok || wish.Mode != "MANUAL" || len(wish.Lines) == 0 {
		refuse(w, 400, "invalid_request")
		return
	}
	now := time.Now()
	day, err := today(who.Zone, now)
	if settle(w, err) {
		return
	}
	s.write(s.billing, w, r, who, func(c *change) (*reply, error) {
		made, err := issueDraft(c, who, visit, wish.Lines, now, day)
		return replied(201, made), err
	})
}

func issueDraft(c *change, who *caller, visit uuid, lines []line, now time.Time, day string) (object, error) {
	var patient, location string
	if err := c.QueryRow(c.ctx, "select patient_id, location_id from visit_card where visit_id = $1", visit).Scan(&patient, &location); err != nil {
		return nil, err
	}
	var last int
	if err := c.QueryRow(c.ctx, `insert into invoice_counter (series, year, last) values ('INV', $1, 1)
		on conflict (tenant_id, series, year) do update set last = invoice_counter.last + 1 returning last`, now.Year()).Scan(&last); err != nil {
		return nil, err
	}
	id, number := text(uuid7()), fmt.Sprintf("INV-%d-%06d", now.Year(), last)
	var subtotal, tax int64
	views := []object{}
	type sums struct{ gross, tax int64 }
	parts := []sums{}
	for i, l := range lines {
		part := sums{l.Quantity * l.UnitPrice.Amount, 0}
		part.tax = (part.gross*int64(l.TaxPercent*100+0.5)*2 + 10000) / 20000
		subtotal, tax, parts = subtotal+part.gross, tax+part.tax, append(parts, part)
		views = append(views, object{"position": i + 1, "description": l.Description, "quantity": l.Quantity, "unitPrice": l.UnitPrice, "taxPercent": l.TaxPercent,
			"subtotal": rupees(part.gross), "discount": rupees(0), "tax": rupees(part.tax), "total": rupees(part.gross + part.tax)})
	}
	if err := c.run(`insert into invoice (id, number, visit_id, patient_id, location_id, mode, created_by, created_at, status, currency, subtotal, discount, tax, total, local_date, version)
		values ($1, $2, $3, $4, $5, 'MANUAL', $6, $7, 'DRAFT', 'INR', $8, 0, $9, $10, $11, 1)`, id, number, visit, patient, location, who.Account, now, subtotal, tax, subtotal+tax, day); err != nil {
		return nil, err
	}
	seal, err := sealerOfWords(c, patient)
	if err != nil {
		return nil, err
	}
	for i, l := range lines {
		if err := c.run(`insert into invoice_line (invoice_id, position, sealed_description, quantity, unit_price, tax_basis_points, subtotal, discount, tax, total)
			values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)`, id, i, seal(l.Description), l.Quantity, l.UnitPrice.Amount, int(l.TaxPercent*100+0.5), parts[i].gross, parts[i].tax, parts[i].gross+parts[i].tax); err != nil {
			return nil, err
		}
	}
	c.audit(who, "billing", "create", "invoice", id, patient, payment, nil, object{"status": "DRAFT", "number": number, "total": subtotal + tax, "discount": 0, "received": 0, "refunded": 0, "currency": "INR"})
	return object{"id": id, "number": number, "status": "DRAFT", "mode": "MANUAL", "visitId": text(visit), "patientId": patient, "localDate": day, "createdAt": now.UTC(),
		"subtotal": rupees(subtotal), "discount": rupees(0), "tax": rupees(tax), "total": rupees(subtotal + tax), "paid": rupees(0), "refunded": rupees(0), "due": rupees(subtotal + tax),
		"lines": views, "prescriptionIds": []string{}}, nil
}

// sealerOfWords seals what lines say as the services do, under a key that a patient's first bill makes. The key is one of nobody: they must
// never meet one that they did not wrap.
func sealerOfWords(c *change, patient string) (func(string) []byte, error) {
	var wrapped []byte
	err := c.QueryRow(c.ctx, "select wrapped from data_key where person_id = $1", patient).Scan(&wrapped)
	key := make([]byte, 32)
	rand.Read(key)
	sealer := gcm(key)
	seal := func(text string) []byte {
		nonce := make([]byte, 12)
		rand.Read(nonce)
		return append([]byte{1}, sealer.Seal(nonce, nonce, []byte(text), []byte(patient))...)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = c.run("insert into data_key (person_id, wrapped) values ($1, $2) on conflict (person_id) do nothing", uuid7(), seal(string(key)))
	}
	return seal, err
}

func rupees(amount int64) money { return money{amount, "INR"} }

func (s *server) pay(w http.ResponseWriter, r *http.Request, who *caller) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/invoices/")
	id, ok := parseUUID(strings.TrimSuffix(path, "/pay"))
	var wish struct {
		Method string `json:"method"`
	}
	if !ok || !strings.HasSuffix(path, "/pay") {
		refuse(w, 404, "not_found")
		return
	}
	if !read(w, r, &wish) {
		return
	}
	now := time.Now()
	day, err := today(who.Zone, now)
	if settle(w, err) {
		return
	}
	s.write(s.billing, w, r, who, func(c *change) (*reply, error) {
		receipt, err := payInvoice(c, who, text(id), wish.Method, now, day)
		return replied(201, receipt), err
	})
}

// payInvoice issues a draft and takes all that is due, with both ledger entries.
func payInvoice(c *change, who *caller, id, method string, now time.Time, day string) (object, error) {
	var number, visit, patient, status string
	var subtotal, tax, total, received, refunded int64
	var version int
	var wrapped []byte
	err := c.QueryRow(c.ctx, `select number, visit_id, patient_id, status, subtotal, tax, total, received, refunded, version, (select wrapped from data_key where person_id = patient_id)
		from invoice where id = $1 for update`, id).
		Scan(&number, &visit, &patient, &status, &subtotal, &tax, &total, &received, &refunded, &version, &wrapped)
	if err != nil {
		return nil, err
	}
	if err := c.run("select sealed_description, quantity, unit_price, tax_basis_points, subtotal, discount, tax from invoice_line where invoice_id = $1 order by position", id); err != nil {
		return nil, err
	}
	if err := c.run("select prescription_id from invoice_prescription where invoice_id = $1 order by 1", id); err != nil {
		return nil, err
	}
	if status != "DRAFT" {
		return nil, refusal{409, "invoice_paid"}
	}
	money := func(status string, received int64) object {
		return object{"status": status, "number": number, "total": total, "discount": 0, "received": received, "refunded": refunded, "currency": "INR"}
	}
	owed := object{"invoiceId": id, "visitId": visit, "patientId": patient, "prescriptionIds": []string{}, "total": rupees(total), "localDate": day}
	issued := object{"number": number}
	for name, value := range owed {
		issued[name] = value
	}
	const update = "update invoice set status = $2, received = $3, local_date = $4, issued_at = $5, version = $6 where id = $1"
	if err := c.run(update, id, "ISSUED", 0, day, now, version+1); err != nil {
		return nil, err
	}
	if err := post(c, id, "ISSUE", now, day, []entry{{"receivable", total}, {"revenue", tax - total}, {"tax", -tax}}); err != nil {
		return nil, err
	}
	c.announce("billing.invoice.issued.v1", id, version+1, issued)
	if err := c.run(update, id, "PAID", total, day, now, version+2); err != nil {
		return nil, err
	}
	receipt := text(uuid7())
	if err := c.run(`insert into payment (id, invoice_id, kind, method, amount, currency, actor_id, at, local_date) values ($1, $2, 'PAYMENT', $3, $4, 'INR', $5, $6, $7)`,
		receipt, id, method, total, who.Account, now, day); err != nil {
		return nil, err
	}
	if err := post(c, id, "PAYMENT", now, day, []entry{{strings.ToLower(method), total}, {"receivable", -total}}); err != nil {
		return nil, err
	}
	c.announce("billing.payment.received.v1", receipt, 1, object{"paymentId": receipt, "invoiceId": id, "method": method, "paid": rupees(total), "due": rupees(0), "localDate": day})
	c.announce("billing.invoice.paid.v1", id, version+2, owed)
	c.audit(who, "billing", "pay", "invoice", id, patient, payment, money("DRAFT", 0), money("PAID", total))
	return object{"id": receipt, "invoiceId": id, "kind": "PAYMENT", "method": method, "amount": rupees(total), "at": now.UTC(), "invoice": object{
		"id": id, "number": number, "status": "PAID", "total": rupees(total), "paid": rupees(total), "refunded": rupees(refunded), "due": rupees(0)}}, nil
}

type entry struct {
	account string
	amount  int64
}

func post(c *change, invoice, kind string, now time.Time, day string, lines []entry) error {
	id := uuid7()
	if err := c.run("insert into ledger_entry (id, invoice_id, kind, at, local_date) values ($1, $2, $3, $4, $5)", id, invoice, kind, now, day); err != nil {
		return err
	}
	for i, l := range lines {
		if err := c.run("insert into ledger_line (entry_id, position, account, amount, currency) values ($1, $2, $3, $4, 'INR')", id, i, l.account, l.amount); err != nil {
			return err
		}
	}
	return nil
}
