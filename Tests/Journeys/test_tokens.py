"""Only a token that auth signed, for us, unexpired and unrevoked, opens anything (S6, D20, D21)."""
import base64
import json
import pathlib
import random
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from clinic import PASSWORD, Clinic, unique


def segments(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


@pytest.fixture(scope="module")
def signing_key(env):
    return pathlib.Path(env["POLYCLINIC_DATA"], "secrets", "jwt_private.pem").read_text()


def opens(door, token):
    return Clinic(door.url, token).call("GET", "/v1/patients?search=meera")


def test_the_key_we_forge_with_is_the_right_one(door, reception, signing_key):
    header, claims = segments(reception.token)
    again = jwt.encode({**claims, "jti": unique()}, signing_key, "ES256", {k: header[k] for k in ("kid", "typ")})
    assert opens(door, again).status == 200


@pytest.mark.parametrize("what", [
    "no token", "other key", "alg none", "alg None", "hs256 with the public key", "expired", "not yet", "wrong audience", "wrong issuer",
    "wrong type", "wrong algorithm", "no expiry", "unknown kid", "jwk header", "roles as text", "no tenant", "garbage", "two parts", "empty signature", "zero signature"])
def test_a_forged_token_opens_nothing(what, door, reception, signing_key):
    header, claims = segments(reception.token)
    keep = {k: header[k] for k in ("kid", "typ")}
    now = int(time.time())
    sign = lambda c, h=keep, k=signing_key: jwt.encode(c, k, "ES256", h)  # noqa: E731
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    jwks = door.get("/.well-known/jwks.json")["keys"][0]
    head, body, signature = reception.token.split(".")
    def another_algorithm():  # the right signature under a header that names another
        text = f"{part({**keep, 'alg': 'ES384'})}.{body}"
        r, s = decode_dss_signature(load_pem_private_key(signing_key.encode(), None).sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        raw = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()
        return f"{text}.{raw}"

    tokens = {
        "no token": None, "wrong algorithm": another_algorithm,
        "other key": lambda: sign(claims, k=ec.generate_private_key(ec.SECP256R1())),
        "alg none": lambda: f"{part({**keep, 'alg': 'none'})}.{body}.",
        "alg None": lambda: f"{part({**keep, 'alg': 'None'})}.{body}.{signature}",
        "hs256 with the public key": lambda: jwt.encode(claims, json.dumps(jwks), "HS256", keep),
        "expired": lambda: sign({**claims, "iat": now - 7200, "nbf": now - 7200, "exp": now - 3600}),
        "not yet": lambda: sign({**claims, "nbf": now + 3600, "iat": now + 3600, "exp": now + 7200}),
        "wrong audience": lambda: sign({**claims, "aud": "somebody-else"}),
        "wrong issuer": lambda: sign({**claims, "iss": "https://evil.example"}),
        "wrong type": lambda: sign(claims, {**keep, "typ": "JWT"}),
        "no expiry": lambda: sign({k: v for k, v in claims.items() if k != "exp"}),
        "unknown kid": lambda: sign(claims, {**keep, "kid": "../../etc/passwd"}),
        "jwk header": lambda: sign(claims, {**keep, "jwk": jwks, "kid": "x"}, ec.generate_private_key(ec.SECP256R1())),
        "roles as text": lambda: sign({**claims, "roles": "admin"}),
        "no tenant": lambda: sign({k: v for k, v in claims.items() if k != "tid"}),
        "garbage": lambda: "x.y.z", "two parts": lambda: f"{head}.{body}", "empty signature": lambda: f"{head}.{body}.",
        "zero signature": lambda: f"{head}.{body}.{'A' * 86}",
    }[what]
    answer = opens(door, tokens() if tokens else None)
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer"), (what, answer)


def test_no_flipped_bit_is_accepted(door, reception):
    dice = random.Random(20261120)
    token = reception.token
    for _ in range(300):
        index = dice.randrange(len(token))
        letter = dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
        mutant = token[:index] + letter + token[index + 1:]
        if mutant == token or index == len(token) - 1:  # the last letter of base64url carries unused bits
            continue
        assert opens(door, mutant).status == 401


def test_a_refresh_token_used_twice_ends_its_session(door, admin):
    email = f"{unique('nurse')}@demo.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})
    first = door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}, expect=200)
    second = door.call("POST", "/v1/auth/refresh", {"refreshToken": first["refreshToken"]}, expect=200)
    third = door.call("POST", "/v1/auth/refresh", {"refreshToken": second["refreshToken"]}, expect=200)
    stolen = door.call("POST", "/v1/auth/refresh", {"refreshToken": first["refreshToken"]})
    assert stolen.status == 401
    assert door.call("POST", "/v1/auth/refresh", {"refreshToken": third["refreshToken"]}).status == 401


def test_a_double_click_is_told_the_same_next_token(door, admin):
    email = f"{unique('nurse')}@demo.example"
    admin.open_account({"name": "N", "email": email, "roles": ["nurse"]})
    first = door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}, expect=200)
    second, again = (door.call("POST", "/v1/auth/refresh", {"refreshToken": first["refreshToken"]}, expect=200) for _ in range(2))
    assert second["refreshToken"] == again["refreshToken"]
    door.call("POST", "/v1/auth/refresh", {"refreshToken": second["refreshToken"]}, expect=200)


def test_a_deactivated_account_is_out_at_once(door, admin):
    email = f"{unique('reception')}@demo.example"
    account = admin.open_account({"name": "R", "email": email, "roles": ["reception"]})
    client = door.as_(email)
    assert client.get("/v1/patients?search=meera").status == 200
    admin.patch(f"/v1/users/{account['id']}", {"active": False})
    assert client.call("GET", "/v1/auth/me").status == 401  # auth itself, in the same instant
    deadline = time.monotonic() + 5  # every other service within seconds, by event
    while client.call("GET", "/v1/patients?search=meera").status != 401:
        assert time.monotonic() < deadline
    assert door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}).status == 401


def test_wrong_passwords_are_slowed_down_but_say_nothing(door, admin):
    email = f"{unique('guess')}@demo.example"
    admin.open_account({"name": "G", "email": email, "roles": ["nurse"]})
    known = door.call("POST", "/v1/auth/login", {"email": email, "password": "wrong-password-1"})
    unknown = door.call("POST", "/v1/auth/login", {"email": "nobody-" + email, "password": "wrong-password-1"})
    assert (known.status, known.code, known["detail"]) == (unknown.status, unknown.code, unknown["detail"]) and known.status == 401
    answers = [door.call("POST", "/v1/auth/login", {"email": email, "password": f"wrong-password-{i}"}) for i in range(12)]
    assert answers[-1].status == 429 and int(answers[-1].headers["retry-after"]) > 0
