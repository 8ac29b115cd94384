package main

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v4"
)

// The whole day in one statement, each state in its own order: who waits by place, who was called by when, the rest by number.
const tokensOfDay = `select room, said, until, ` + tokenColumns + `
from token left join (select provider_id as whose, room, status as said, until from presence) p on p.whose = provider_id
where location_id = $1 and local_date = $2
order by case status when 'WAITING' then urgency end, case status when 'WAITING' then lane end,
    case status when 'WAITING' then due_at when 'WITH_DOCTOR' then coalesce(called_at, issued_at)
        when 'COMPLETED' then coalesce(completed_at, issued_at) end, sequence
limit 10000`

// board shows a site's day to staff.
func (s *server) board(w http.ResponseWriter, r *http.Request, who *caller) {
	location := r.URL.Query().Get("locationId")
	if location == "" {
		location = who.Location
	}
	if _, ok := parseUUID(location); !ok {
		refuse(w, 400, "invalid_request")
		return
	}
	now := time.Now()
	var zone, day string
	err := s.queue.query(r.Context(), who.Tenant, func(row pgx.Rows) error { return row.Scan(&zone) },
		"select zone from location_card where location_id = $1", location)
	if err == nil && zone == "" {
		err = refusal{404, "not_found"}
	}
	if err == nil {
		day, err = today(zone, now)
	}
	var tokens []*token
	if err == nil {
		seen := object{"action": "list", "resource": "queue", "resourceId": location, "after": object{"date": day}}
		err = s.queue.look(r.Context(), who, "queue", seen, func(row pgx.Rows) error {
			t := &token{}
			var until *time.Time
			err := t.scan(row, &t.Room, &t.Presence, &until)
			if until != nil && !until.After(now) { // Back, without having said so.
				online := "online"
				t.Presence = &online
			}
			tokens = append(tokens, t)
			return err
		}, tokensOfDay, location, day)
	}
	if settle(w, err) {
		return
	}
	estimate(tokens, now)
	lists := map[string][]*token{"WAITING": {}, "WITH_DOCTOR": {}, "COMPLETED": {}, "SKIPPED": {}, "LEFT": {}}
	for _, t := range tokens {
		lists[t.Status] = append(lists[t.Status], t)
	}
	answer(w, 200, object{"date": day, "locationId": location, "waiting": lists["WAITING"], "withDoctor": lists["WITH_DOCTOR"],
		"completed": lists["COMPLETED"], "skipped": lists["SKIPPED"], "left": lists["LEFT"]})
}

// What a consultation takes before anybody was seen, and the bounds that keep one odd one from frightening everybody; in seconds.
const usual, shortest, longest = 600, 180, 3600

// pace is how fast a practitioner's queue moves today.
type pace struct {
	took, seen int64
	serving    *time.Time
	ahead      int
}

// minutes is the wait of the next in line, rounded up: what is left of the current consultation, and one for each who goes before.
func (p *pace) minutes(now time.Time) int64 {
	each, left := int64(usual), int64(0)
	if p.seen > 0 {
		each = p.took / p.seen
	}
	each = atMost(atLeast(each, shortest), longest)
	if p.serving != nil {
		left = atLeast(each-seconds(*p.serving, now), 0)
	}
	return (left + int64(p.ahead)*each + 59) / 60
}

// estimate gives who waits a position and an expected wait in the practitioner's own queue; the tokens are in the order of waiting.
func estimate(tokens []*token, now time.Time) {
	paces := map[string]*pace{}
	for _, t := range tokens {
		p := paces[t.Provider]
		if p == nil {
			p = &pace{}
			paces[t.Provider] = p
		}
		if t.Status == "WITH_DOCTOR" {
			p.serving = t.CalledAt
		}
		if t.CalledAt != nil && t.CompletedAt != nil {
			p.took, p.seen = p.took+seconds(*t.CalledAt, *t.CompletedAt), p.seen+1
		}
	}
	for _, t := range tokens {
		if t.Status == "WAITING" {
			p := paces[t.Provider]
			minutes, position := p.minutes(now), p.ahead+1
			t.Minutes, t.Position, p.ahead = &minutes, &position, position
		}
	}
}

// seconds from one instant to another, none when they are the wrong way round.
func seconds(from, to time.Time) int64 { return atLeast(int64(to.Sub(from)/time.Second), 0) }

func atLeast(value, least int64) int64 {
	if value < least {
		return least
	}
	return value
}

func atMost(value, most int64) int64 {
	if value > most {
		return most
	}
	return value
}
