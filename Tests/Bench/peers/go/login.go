package main

import (
	"context"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v4"
	"golang.org/x/crypto/argon2"
)

// signIn is what Services/Auth/Sessions/SignIn.swift does: attempts counted first, then Argon2id, then the session.
type signIn struct {
	*server
	index, pepper, wrapping []byte
	key                     *ecdsa.PrivateKey
	header                  string
	busy                    chan struct{} // two hashes at once, as the service
	names                   sync.Map      // tenant -> cipher.AEAD
}

func newSignIn(s *server) *signIn {
	master := secret("MASTER_KEY_FILE")
	text, err := os.ReadFile(os.Getenv("JWT_PRIVATE_KEY_FILE"))
	must(err)
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(err)
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "typ": "at+jwt", "kid": s.tokens.first})
	return &signIn{
		server: s, index: derive(secret("INDEX_KEY_FILE"), "auth e-mail index"), pepper: secret("PASSWORD_PEPPER_FILE"), wrapping: derive(master, "auth tenant keys"),
		key: parsed.(*ecdsa.PrivateKey), header: base64.RawURLEncoding.EncodeToString(header), busy: make(chan struct{}, 2)}
}

func secret(name string) []byte {
	text, err := os.ReadFile(os.Getenv(name))
	must(err)
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	must(err)
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *signIn) verify(password, stored string) bool {
	var memory, passes uint32
	var lanes uint8
	parts := strings.Split(stored, "$")
	if len(parts) != 6 {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false
	}
	salt, _ := base64.RawStdEncoding.DecodeString(parts[4])
	want, _ := base64.RawStdEncoding.DecodeString(parts[5])
	peppered := base64.RawURLEncoding.EncodeToString(mac(s.pepper, password))
	s.busy <- struct{}{}
	defer func() { <-s.busy }()
	return subtle.ConstantTimeCompare(argon2.IDKey([]byte(peppered), salt, passes, memory, lanes, uint32(len(want))), want) == 1
}

func (s *signIn) handle(w http.ResponseWriter, r *http.Request) {
	var wish struct{ Email, Password string }
	if !read(w, r, &wish) {
		return
	}
	pair, err := s.begin(r.Context(), strings.ToLower(wish.Email), wish.Password, r.RemoteAddr)
	if settle(w, err) {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, 200, pair)
}

type credential struct {
	account, tenant, hash, roles, location, zone, currency string
	active                                                 bool
}

const readCredential = `select a.password_hash, a.active, array_to_string(a.roles, ','), a.location_id, l.zone, l.currency
from account a join location l on l.id = a.location_id where a.id = $1`

func (s *signIn) begin(ctx context.Context, email, password, from string) (object, error) {
	client, _, _ := net.SplitHostPort(from)
	both, every := mac(s.index, "failure|"+email+"|"+client), mac(s.index, "failures of|"+client)
	var c credential
	if err := s.admit(ctx, &c, email, both, every); err != nil {
		return nil, err
	}
	err := s.auth.query(ctx, c.tenant, func(row pgx.Rows) error {
		return row.Scan(&c.hash, &c.active, &c.roles, &c.location, &c.zone, &c.currency)
	}, readCredential, c.account)
	if err != nil {
		return nil, err
	}
	if !s.verify(password, c.hash) || !c.active {
		return nil, refusal{401, "invalid_credentials"}
	}
	var pair object
	err = s.auth.transaction(ctx, c.tenant, func(tx *change) error {
		pair, err = s.session(tx, c, both, every)
		return err
	})
	return pair, err
}

// admit counts the attempt before the password is looked at.
func (s *signIn) admit(ctx context.Context, c *credential, email string, both, every []byte) error {
	now := time.Now()
	return s.auth.BeginFunc(ctx, func(tx pgx.Tx) error {
		for i, key := range [][]byte{both, every} {
			if _, err := tx.Exec(ctx, "insert into login_failure (key, failures, first_at, last_at) values ($1, 0, $2, $2) on conflict (key) do nothing", key, now); err != nil {
				return err
			}
			var failures int
			var first, last time.Time
			if err := tx.QueryRow(ctx, "select failures, first_at, last_at from login_failure where key = $1 for update", key).Scan(&failures, &first, &last); err != nil {
				return err
			}
			if now.Sub(first) > 15*time.Minute {
				failures, first = 0, now
			}
			if failures >= []int{10, 100}[i] {
				return refusal{429, "too_many_attempts"}
			}
			if _, err := tx.Exec(ctx, `insert into login_failure (key, failures, first_at, last_at) values ($1, $2, $3, $4)
				on conflict (key) do update set failures = excluded.failures, first_at = excluded.first_at, last_at = excluded.last_at`, key, failures+1, first, now); err != nil {
				return err
			}
		}
		err := tx.QueryRow(ctx, "select account_id, tenant_id from login where email_index = $1", mac(s.index, email)).Scan(&c.account, &c.tenant)
		if err == pgx.ErrNoRows {
			return refusal{401, "invalid_credentials"}
		}
		return err
	})
}

func (s *signIn) session(tx *change, c credential, both, every []byte) (object, error) {
	var hash, roles, location, zone, currency string
	var active bool
	if err := tx.QueryRow(tx.ctx, readCredential+" for share of a", c.account).Scan(&hash, &active, &roles, &location, &zone, &currency); err != nil {
		return nil, err
	}
	if hash != c.hash || !active {
		return nil, refusal{401, "invalid_credentials"}
	}
	now, session, random := time.Now(), text(uuid7()), make([]byte, 32)
	rand.Read(random)
	whole := append(append(uuidBytes(c.tenant), uuidBytes(session)...), random...)
	digest, refresh := sha256.Sum256(whole), base64.RawURLEncoding.EncodeToString(whole)
	for _, step := range []struct {
		sql       string
		arguments []any
	}{
		{"insert into session (id, account_id, started_at, expires_at) values ($1, $2, $3, $4)", []any{session, c.account, now, now.Add(12 * time.Hour)}},
		{"insert into refresh_token (hash, session_id, issued_at) values ($1, $2, $3)", []any{digest[:], session, now}},
		{"delete from login_failure where key = $1", []any{both}},
		{"update login_failure set failures = greatest(failures - 1, 0) where key = $1", []any{every}},
	} {
		if err := tx.run(step.sql, step.arguments...); err != nil {
			return nil, err
		}
	}
	name, err := s.name(tx, c)
	if err != nil {
		return nil, err
	}
	names := strings.Split(roles, ",")
	tx.audit(&caller{Account: c.account, Roles: names}, "auth", "sign_in", "session", session, "", "", nil, nil)
	at := float64(now.UnixMilli()) / 1000
	claims := object{"iss": "polyclinic", "aud": "polyclinic", "sub": c.account, "tid": c.tenant, "roles": names, "sid": session, "loc": location, "zone": zone,
		"cur": currency, "jti": text(uuid7()), "iat": at, "exp": at + 600}
	return object{"accessToken": s.sign(claims), "refreshToken": refresh, "tokenType": "Bearer", "expiresIn": 600,
		"user": object{"id": c.account, "name": name, "roles": names, "tenantId": c.tenant}}, nil
}

func uuidBytes(id string) []byte {
	parsed, _ := parseUUID(id)
	return parsed.Bytes[:]
}

func (s *signIn) sign(claims object) string {
	body, _ := json.Marshal(claims)
	signed := s.header + "." + base64.RawURLEncoding.EncodeToString(body)
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	must(err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// name opens what only the tenant's key opens: the key is kept open in memory.
func (s *signIn) name(tx *change, c credential) (string, error) {
	known, ok := s.names.Load(c.tenant)
	if !ok {
		var wrapped []byte
		if err := tx.QueryRow(tx.ctx, "select wrapped from tenant_key where tenant_id = $1", c.tenant).Scan(&wrapped); err != nil {
			return "", err
		}
		key, err := unseal(gcm(s.wrapping), wrapped, c.tenant+"|auth|tenant_key|1")
		if err != nil {
			return "", err
		}
		known = gcm(key)
		s.names.Store(c.tenant, known)
	}
	var name, email []byte
	if err := tx.QueryRow(tx.ctx, "select name, email from account where id = $1", c.account).Scan(&name, &email); err != nil {
		return "", err
	}
	if _, err := unseal(known.(cipher.AEAD), email, c.tenant+"|auth|account|email|"+c.account+"|1"); err != nil {
		return "", err
	}
	opened, err := unseal(known.(cipher.AEAD), name, c.tenant+"|auth|account|name|"+c.account+"|1")
	return string(opened), err
}
