// A peer for the bench: its jobs on the stack's own tables, as one would write them in Go with net/http and pgx.
// See Tests/Bench/README.md for what it does and leaves out.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

type server struct {
	auth, patients, bookings, queue, billing, pharmacy *database
	tokens                                             *verifier
	keys                                               *keyring
}

func main() {
	s := &server{
		auth: open("auth"), patients: open("clinical"), bookings: open("scheduling"), queue: open("queue"), billing: open("billing"), pharmacy: open("pharmacy"),
		tokens: newVerifier(os.Getenv("JWT_PUBLIC_KEYS_FILE")), keys: newKeyring(os.Getenv("MASTER_KEY_FILE")),
	}
	staff := []string{"reception", "doctor", "nurse", "admin"}
	desk := []string{"reception", "admin"}
	on := func(path, method string, roles []string, handler func(http.ResponseWriter, *http.Request, *caller)) {
		http.HandleFunc(path, s.tokens.require(method, roles, handler))
	}
	on("/v1/patients/", "GET", staff, s.readPatient)
	on("/v1/patients", "GET", staff, s.searchPatients)
	on("/v1/slots", "GET", staff, s.listSlots)
	on("/v1/appointments", "POST", desk, s.book)
	on("/v1/appointments/", "PATCH", desk, s.reschedule)
	on("/v1/queue/check-in", "POST", desk, s.checkIn)
	on("/v1/queue/today", "GET", staff, s.board)
	on("/v1/queue/next", "POST", []string{"doctor"}, s.callNext)
	on("/v1/visits/", "POST", []string{"doctor"}, s.completeVisit)
	on("/v1/invoices", "POST", desk, s.invoice)
	on("/v1/invoices/", "POST", desk, s.pay)
	on("/v1/dispensing", "POST", []string{"pharmacist"}, s.dispense)
	http.HandleFunc("/v1/auth/login", newSignIn(s).handle)
	http.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
