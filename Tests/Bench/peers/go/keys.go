package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The same statements as Shared/Bootstrap/Host/Idempotency.swift.
const claimKey = `select pg_try_advisory_xact_lock($1), stored.request_hash, stored.answer
from (select 1) as one left join idempotency stored on stored.account_id = $2 and stored.key = $3`
const keepAnswer = `insert into idempotency (account_id, key, request_hash, answer, patient_id) values ($1, $2, $3, $4, $5)`

// reply is an answer before it is sent: what a key keeps must be known while the transaction is open.
type reply struct {
	status  int
	headers []string // name, value, name, value …
	body    []byte
}

func replied(status int, value any, headers ...string) *reply {
	body, _ := json.Marshal(value)
	return &reply{status, append(headers, "Content-Type", "application/json"), body}
}

func (a *reply) send(w http.ResponseWriter) {
	for i := 0; i < len(a.headers); i += 2 {
		w.Header().Set(a.headers[i], a.headers[i+1])
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// write is the one shape of a handler that changes something: the Idempotency-Key is claimed in the transaction of the
// change, which keeps the answer too, so whoever asks twice changes one thing and hears the same.
func (s *server) write(db *database, w http.ResponseWriter, r *http.Request, who *caller, body func(*change) (*reply, error)) {
	key, err := s.keyOf(db, r, who)
	var given *reply
	if err == nil {
		err = db.transaction(r.Context(), who.Tenant, func(c *change) (err error) {
			if key == nil {
				given, err = body(c)
				return err
			}
			if given, err = key.claim(c); given != nil || err != nil {
				return err
			}
			given, err = body(c)
			c.key, c.given = key, given
			return err
		})
	}
	if breaks(err, "idempotency_key_once") { // Somebody with the same key committed between our look and our lock.
		err = refusal{409, "request_in_progress"}
	}
	if !settle(w, err) {
		given.send(w)
	}
}

type onceKey struct {
	name, account string
	hash          []byte
	lock          int64
	box           vault
}

// keyOf is nil for a request without a key.
func (s *server) keyOf(db *database, r *http.Request, who *caller) (*onceKey, error) {
	name := r.Header.Get("Idempotency-Key")
	if name == "" {
		return nil, nil
	}
	if len(name) > 255 || strings.IndexFunc(name, func(c rune) bool { return c < 0x21 || c > 0x7e }) >= 0 {
		return nil, refusal{400, "invalid_idempotency_key"}
	}
	asked := sha256.New()
	fmt.Fprintf(asked, "%s|%s?%s|", r.Method, r.URL.Path, r.URL.RawQuery)
	// Members in one order: the same request in another spelling is the same request.
	var members any
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if decoder.Decode(&members) != nil || json.NewEncoder(asked).Encode(members) != nil {
		return nil, refusal{400, "invalid_request"}
	}
	lock := sha256.Sum256([]byte(db.schema + "|" + who.Tenant + "|" + who.Account + "|" + name))
	return &onceKey{name, who.Account, asked.Sum(nil), int64(binary.BigEndian.Uint64(lock[:8])), vault{s.keys.answers, who.Tenant + "|" + who.Account}}, nil
}

// claim gives the stored answer, or nil when the key is now ours to use.
func (k *onceKey) claim(c *change) (*reply, error) {
	var ours bool
	var hash, sealed []byte
	err := c.QueryRow(c.ctx, claimKey, k.lock, k.account, k.name).Scan(&ours, &hash, &sealed)
	switch {
	case err != nil:
		return nil, err
	case hash == nil && !ours:
		return nil, refusal{409, "request_in_progress"}
	case hash == nil:
		return nil, nil
	case !bytes.Equal(hash, k.hash):
		return nil, refusal{422, "idempotency_key_reused"}
	}
	plain, err := k.box.open(sealed, "idempotency", "answer", k.name)
	if err != nil {
		return nil, refusal{409, "answer_gone"}
	}
	return restored(plain)
}

// row is what the key keeps: who asked for what, and the answer, sealed.
func (k *onceKey) row(given *reply, patient string) []any {
	var about any
	if patient != "" {
		about = patient
	}
	return []any{k.account, k.name, k.hash, k.box.seal(given.stored(), "idempotency", "answer", k.name), about}
}

// stored is the status, a line for each header, an empty line, and the body.
func (a *reply) stored() []byte {
	head := strconv.Itoa(a.status) + "\n"
	for i := 0; i < len(a.headers); i += 2 {
		head += a.headers[i] + ": " + a.headers[i+1] + "\n"
	}
	return append([]byte(head+"\n"), a.body...)
}

func restored(plain []byte) (*reply, error) {
	head, body, _ := bytes.Cut(plain, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	status, err := strconv.Atoi(lines[0])
	again := &reply{status, []string{"Idempotent-Replayed", "true"}, body}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		again.headers = append(again.headers, name, value)
	}
	return again, err
}

// reread lets the body be read once more: its key is told by all of it.
func reread(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}
