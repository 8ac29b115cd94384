package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const setTenant = "select set_config('app.tenant', $1, true)"

type database struct {
	*pgxpool.Pool
	schema string
}

// open connects when it is needed, so a run that only reads or only books has 16 in all.
func open(service string) *database {
	config, err := pgxpool.ParseConfig(os.Getenv("PEER_" + strings.ToUpper(service) + "_URL"))
	must(err)
	config.MaxConns, config.LazyConnect = 16, true
	opened, err := pgxpool.ConnectConfig(context.Background(), config)
	must(err)
	return &database{opened, service}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// query runs one statement for a tenant: a batch is one round trip and, for Postgres, one transaction.
func (db *database) query(ctx context.Context, tenant string, each func(pgx.Rows) error, sql string, arguments ...any) error {
	batch := &pgx.Batch{}
	batch.Queue(setTenant, tenant)
	batch.Queue(sql, arguments...)
	results := db.SendBatch(ctx, batch)
	defer results.Close()
	return collect(results, each, 1)
}

const insertRead = `insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
values ($1, $2, 'audit.access.recorded.v1', $3, 0, $4, $5, now())`

// look is a query that leaves an entry of who read what, in the same round trip and transaction; `seen` says what.
func (db *database) look(ctx context.Context, who *caller, service string, seen object, each func(pgx.Rows) error,
	sql string, arguments ...any) error {
	traceparent := newTrace()
	entry := object{"id": text(uuid7()), "at": time.Now().UTC(), "actorId": who.Account, "role": who.Roles[len(who.Roles)-1], "allowed": true,
		"purpose": treatment, "traceId": traceparent[3:35]}
	for name, value := range seen {
		entry[name] = value
	}
	body, _ := json.Marshal(object{"service": service, "entries": []object{entry}})
	batch := &pgx.Batch{}
	batch.Queue(setTenant, who.Tenant)
	batch.Queue(insertRead, uuid7(), who.Tenant, service, traceparent, string(body))
	batch.Queue(sql, arguments...)
	results := db.SendBatch(ctx, batch)
	defer results.Close()
	return collect(results, each, 2)
}

// collect skips what comes before the rows.
func collect(results pgx.BatchResults, each func(pgx.Rows) error, before int) error {
	for ; before > 0; before-- {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := each(rows); err != nil {
			rows.Close()
			return err
		}
	}
	rows.Close()
	return rows.Err()
}

// transaction is one for a tenant, who is set in the round trip that begins it.
func (db *database) transaction(ctx context.Context, tenant string, body func(*change) error) error {
	if _, ok := parseUUID(tenant); !ok {
		return refusal{401, "token_invalid"}
	}
	connection, err := db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer connection.Release()
	c := &change{Conn: connection, ctx: ctx}
	if err := c.run("begin; select set_config('app.tenant', '" + tenant + "', true)"); err != nil {
		return err
	}
	err = body(c)
	if err == nil {
		err = c.flush()
	}
	if err != nil {
		c.run("rollback")
		return err
	}
	return c.run("commit")
}

// change is a transaction with the facts that it announces.
type change struct {
	*pgxpool.Conn
	ctx            context.Context
	actor, patient string
	facts          []fact
	key            *onceKey // of the request, when it has one, and the answer that it keeps
	given          *reply
}

type fact struct {
	kind, subject string
	revision      int
	data          object
}

func (c *change) announce(kind, subject string, revision int, data object) {
	c.facts = append(c.facts, fact{kind, subject, revision, data})
}

// Why a patient's record is touched (HL7 PurposeOfUse).
const treatment, payment = "TREAT", "HPAYMT"

// audit says whose record it touches and for which purpose, where it touches one.
func (c *change) audit(who *caller, service, action, resource, id, patient, purpose string, before, after object) {
	c.actor = who.Account
	data := object{"service": service, "action": action, "resource": resource, "resourceId": id, "role": who.Roles[len(who.Roles)-1], "allowed": true}
	if before != nil {
		data["before"] = before
	}
	if after != nil {
		data["after"] = after
	}
	if patient != "" {
		c.patient = patient
		data["patientId"], data["purpose"] = patient, purpose
	}
	c.announce("audit.entry.recorded.v1", id, 0, data)
}

const insertFacts = `insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
select id::uuid, type, subject, revision, $1, $2, data::json, now()
from unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[]) with ordinality as announced (id, type, subject, revision, data, place)
order by place`

// flush writes the facts in one statement, as the services do, and the key's answer in the same round trip.
func (c *change) flush() error {
	if len(c.facts) == 0 { // An answer given before.
		return nil
	}
	traceparent := newTrace()
	var ids, kinds, subjects, bodies []string
	var revisions []int32
	for _, f := range c.facts {
		body, _ := json.Marshal(f.data)
		ids, kinds, subjects = append(ids, text(uuid7())), append(kinds, f.kind), append(subjects, f.subject)
		bodies, revisions = append(bodies, string(body)), append(revisions, int32(f.revision))
	}
	batch := &pgx.Batch{}
	batch.Queue(insertFacts, c.actor, traceparent, ids, kinds, subjects, revisions, bodies)
	if c.key != nil {
		batch.Queue(keepAnswer, c.key.row(c.given, c.patient)...)
	}
	return c.SendBatch(c.ctx, batch).Close()
}

func newTrace() string {
	trace := make([]byte, 24)
	rand.Read(trace)
	return "00-" + hex.EncodeToString(trace[:16]) + "-" + hex.EncodeToString(trace[16:]) + "-01"
}

func (c *change) run(sql string, arguments ...any) error {
	_, err := c.Exec(c.ctx, sql, arguments...)
	return err
}

func breaks(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint
}
