package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v4"
	"golang.org/x/crypto/hkdf"
)

// --- who is asking: ES256 bearer tokens, a verified one is remembered until it expires ---

type caller struct {
	Account  string   `json:"sub"`
	Tenant   string   `json:"tid"`
	Location string   `json:"loc"`
	Zone     string   `json:"zone"`
	Roles    []string `json:"roles"`
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Expires  float64  `json:"exp"`
}

type verifier struct {
	keys  map[string]*ecdsa.PublicKey
	known sync.Map // Authorization header -> *caller
	first string   // the id of the key that is used to sign
}

func newVerifier(file string) *verifier {
	var set struct{ Keys []struct{ Kid, X, Y string } }
	text, err := os.ReadFile(file)
	must(err)
	must(json.Unmarshal(text, &set))
	v := &verifier{keys: map[string]*ecdsa.PublicKey{}}
	v.first = set.Keys[0].Kid
	for _, key := range set.Keys {
		v.keys[key.Kid] = &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(unbase64(key.X)), Y: new(big.Int).SetBytes(unbase64(key.Y))}
	}
	return v
}

func unbase64(text string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(text)
	return data
}

func (v *verifier) verify(bearer string) *caller {
	parts := strings.Split(bearer, ".")
	if len(parts) != 3 {
		return nil
	}
	var header struct{ Alg, Typ, Kid string }
	signature := unbase64(parts[2])
	if json.Unmarshal(unbase64(parts[0]), &header) != nil || header.Alg != "ES256" || header.Typ != "at+jwt" || len(signature) != 64 {
		return nil
	}
	key, hash := v.keys[header.Kid], sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	if key == nil || !ecdsa.Verify(key, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return nil
	}
	who := &caller{}
	if json.Unmarshal(unbase64(parts[1]), who) != nil || who.Issuer != "polyclinic" || who.Audience != "polyclinic" || len(who.Roles) == 0 {
		return nil
	}
	return who
}

func (v *verifier) require(method string, roles []string, handler func(http.ResponseWriter, *http.Request, *caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		authorization := r.Header.Get("Authorization")
		var who *caller
		if known, ok := v.known.Load(authorization); ok {
			who = known.(*caller)
		} else if strings.HasPrefix(authorization, "Bearer ") {
			if who = v.verify(authorization[7:]); who != nil {
				v.known.Store(authorization, who)
			}
		}
		switch {
		case r.Method != method:
			refuse(w, 405, "method_not_allowed")
		case who == nil || float64(time.Now().Unix()) > who.Expires+30:
			v.known.Delete(authorization)
			refuse(w, 401, "token_invalid")
		case !who.hasOne(roles):
			refuse(w, 403, "forbidden")
		default:
			handler(w, r, who)
		}
	}
}

func (c *caller) hasOne(roles []string) bool {
	for _, role := range roles {
		for _, own := range c.Roles {
			if role == own {
				return true
			}
		}
	}
	return false
}

// --- what is sealed: master key -> tenant's keys (remembered) -> patient's key -> the record ---

type keyring struct {
	founding, wrapping []byte
	answers            cipher.AEAD // what Idempotency-Keys keep
	tenants            sync.Map    // tenant -> []cipher.AEAD that wrap the patients' keys, the newest first
}

func newKeyring(file string) *keyring {
	text, err := os.ReadFile(file)
	must(err)
	master, err := hex.DecodeString(strings.TrimSpace(string(text)))
	must(err)
	return &keyring{founding: derive(master, "clinical tenant keys v1"), wrapping: derive(master, "tenant wrapping keys v1"), answers: gcm(derive(master, "idempotency"))}
}

func derive(key []byte, use string) []byte {
	derived := make([]byte, 32)
	_, err := io.ReadFull(hkdf.New(sha256.New, key, nil, []byte(use)), derived)
	must(err)
	return derived
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	must(err)
	sealer, err := cipher.NewGCM(block)
	must(err)
	return sealer
}

// unseal opens 2 ‖ key's id ‖ version byte ‖ nonce ‖ ciphertext ‖ tag, or the same without the first two.
func unseal(with cipher.AEAD, box []byte, context string) ([]byte, error) {
	if len(box) > 2 && box[0] == 2 {
		context, box = context+string(box[:2]), box[2:]
	}
	if len(box) < 29 || box[0] != 1 {
		return nil, errors.New("not a sealed value")
	}
	return with.Open(nil, box[1:13], box[13:], []byte(context))
}

func (k *keyring) tenant(ctx context.Context, db *database, tenant string) ([]cipher.AEAD, error) {
	if known, ok := k.tenants.Load(tenant); ok {
		return known.([]cipher.AEAD), nil
	}
	var wrapping []cipher.AEAD
	err := db.query(ctx, tenant, func(row pgx.Rows) error {
		var number int
		var wrapped []byte
		if err := row.Scan(&number, &wrapped); err != nil {
			return err
		}
		if number == 0 {
			key, err := unseal(gcm(k.founding), wrapped, tenant+"|"+tenant+"|tenant_key|wrapped|"+tenant)
			wrapping = append(wrapping, gcm(derive(key, "clinical patient data keys v1")))
			return err
		}
		key, err := unseal(gcm(k.wrapping), wrapped, fmt.Sprintf("%s|%s|clinical.tenant_wrapping_key|wrapped|%d", tenant, tenant, number))
		wrapping = append(wrapping, gcm(key))
		return err
	}, "select 0, wrapped from tenant_key union all select number, wrapped from tenant_wrapping_key where active_from <= now() order by 1 desc")
	if err != nil {
		return nil, err
	}
	k.tenants.Store(tenant, wrapping)
	return wrapping, nil
}

// vault seals and opens what is known of one patient, each value bound to its table, column and row.
type vault struct {
	cipher.AEAD
	subject string
}

func (k *keyring) vault(ctx context.Context, db *database, tenant, patient string, dataKey []byte) (vault, error) {
	wrapping, err := k.tenant(ctx, db, tenant)
	if err != nil {
		return vault{}, err
	}
	for _, one := range wrapping {
		if key, err := unseal(one, dataKey, tenant+"|"+patient+"|patient|data_key|"+patient); err == nil {
			return vault{gcm(key), tenant + "|" + patient}, nil
		}
	}
	return vault{}, errors.New("no key of the tenant opens the patient's")
}

func (v vault) open(box []byte, table, column, row string) ([]byte, error) {
	return unseal(v.AEAD, box, v.subject+"|"+table+"|"+column+"|"+row)
}

// seal makes version byte ‖ nonce ‖ ciphertext ‖ tag.
func (v vault) seal(plain []byte, table, column, row string) []byte {
	box := make([]byte, 13, 29+len(plain))
	box[0] = 1
	rand.Read(box[1:])
	return v.Seal(box, box[1:13], plain, []byte(v.subject+"|"+table+"|"+column+"|"+row))
}
