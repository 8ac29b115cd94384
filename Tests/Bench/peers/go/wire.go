package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/jackc/pgtype"
)

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

func text(id uuid) string {
	b := id.Bytes
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type object = map[string]any

func etag(version int) string { return fmt.Sprintf(`"%d"`, version) }

// read takes a small JSON body and nothing that it does not know.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := reread(w, r)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err != nil || decoder.Decode(into) != nil {
		refuse(w, 400, "invalid_request")
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, value any) {
	body, ok := value.([]byte)
	if !ok {
		body, _ = json.Marshal(value)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d,"code":%q}`, status, code)
}

// refusal is an error that is an answer: thrown inside a transaction it rolls all of it back.
type refusal struct {
	status int
	code   string
}

func (r refusal) Error() string { return r.code }

// settle answers an error, whichever it is; false when there was none.
func settle(w http.ResponseWriter, err error) bool {
	if r, ok := err.(refusal); ok {
		refuse(w, r.status, r.code)
	} else if err != nil {
		log.Print(err)
		refuse(w, 500, "internal")
	}
	return err != nil
}
