#!/usr/bin/env python3
"""More than ten thousand tokens that are almost right, made with PyJWT and joserfc, at every service: none opens anything (S6).

They are made from real tokens of three kinds (a person's, a client's for a person, a machine's), many of them signed
with the real key: whoever wrote the verifier may have trusted the signature and forgotten the rest. Each forgery made by
hand goes to each of the eight services; the thousands with one bit turned go to one after another.
"""
import base64
import collections
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time
import uuid

import jwt as pyjwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import OctKey

from person import URL, Api, Browser, check, finish, parameters, segments

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
base = int(os.environ["POLYCLINIC_URL"].rsplit(":", 1)[1])
NOBODY = str(uuid.uuid4())
# One guarded route of each service; behind nginx an address would be slowed down long before ten thousand.
DOORS = {name: (base + 1 + place, path) for place, (name, path) in enumerate({
    "auth": "/v1/auth/me", "scheduling": "/v1/providers", "queue": "/v1/queue/today", "clinical": "/v1/patients?search=a",
    "pharmacy": "/v1/inventory/medicines", "billing": f"/v1/invoices/{NOBODY}", "notifications": "/v1/notifications",
    "reporting": "/v1/reports/audit-logs"}.items())}
local = threading.local()


def status(door, token):
    port, path = DOORS[door]
    lines = local.__dict__.setdefault("lines", {})
    for attempt in (0, 1):
        line = lines.get(port) or lines.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=20))
        try:
            line.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = line.getresponse()
            answer.read()
            return answer.status
        except (http.client.HTTPException, OSError):
            line.close()
            lines.pop(port, None)
            if attempt:
                raise


def encode(value):
    data = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fits(text):
    """Whether a header can hold it at all."""
    return all(ord(letter) < 256 for letter in text)


def client_tokens(admin):
    """A client's token for a person with its ID token, and a machine's own."""
    meta = requests.get(f"{URL}/.well-known/openid-configuration", timeout=10).json()
    back, verifier = "http://127.0.0.1:9/back", "v" * 64
    portal = admin.register("Token portal", redirectUris=[back], grantTypes=["authorization_code", "refresh_token"],
                            scopes=["openid", "scheduling.read"], consentRequired=False)
    challenge = encode(hashlib.sha256(verifier.encode()).digest())
    landed = Browser().sign_in(f"{meta['authorization_endpoint']}?response_type=code&client_id={portal['clientId']}&redirect_uri={back}"
                               f"&scope=openid scheduling.read&code_challenge={challenge}&code_challenge_method=S256", "doctor")
    given = requests.post(meta["token_endpoint"], auth=(portal["clientId"], portal["clientSecret"]), timeout=10, data={
        "grant_type": "authorization_code", "code": parameters(landed)["code"], "code_verifier": verifier, "redirect_uri": back}).json()
    machine = admin.register("Token machine", grantTypes=["client_credentials"], roles=["reception"], scopes=["scheduling.read"])
    own = requests.post(meta["token_endpoint"], auth=(machine["clientId"], machine["clientSecret"]), timeout=10,
                        data={"grant_type": "client_credentials"}).json()
    return given, own["access_token"]


def letters(token):
    """Every letter with each of its six bits turned."""
    for index, letter in enumerate(token):
        if letter != ".":
            for bit in range(6):
                yield "a bit turned", token[:index] + LETTERS[LETTERS.index(letter) ^ 1 << bit] + token[index + 1:]


def forgeries(token, pem, jwk, dice):
    header, claims = segments(token)
    head, body, signature = token.split(".")
    stranger = ec.generate_private_key(ec.SECP256R1())
    stranger_jwk = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))
    real = serialization.load_pem_private_key(pem, None)
    public = real.public_key()
    now = int(time.time())

    def sign(claims=claims, header=header, key=pem):
        try:
            return pyjwt.encode(claims, key, "ES256", {k: v for k, v in header.items() if k != "alg"})
        except (TypeError, ValueError):  # what PyJWT does not write, a forger writes by hand
            return raw(header, claims)

    def raw(header, claims, key=real):
        """Signed bytes as they are: what no library would write."""
        signed = f"{encode(header)}.{encode(claims)}"
        return signed + "." + ecdsa(signed, key)

    def ecdsa(signed, key):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    # No signature, or one that anybody can make.
    for name in ("none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES384", "ES512", "EdDSA", "PS256", "ES256K", "es256", "ES256 "):
        for tail in ("", signature, encode(b"\0" * 64), encode(b"\1" * 64)):
            yield "another algorithm", f"{encode({**header, 'alg': name})}.{body}.{tail}"
    for alg in (None, 0, True, ["ES256"], {"alg": "ES256"}):
        yield "another algorithm", f"{encode({**header, 'alg': alg})}.{body}.{signature}"
    secrets = [json.dumps(jwk), jwk["x"], jwk["y"], jwk["x"] + jwk["y"], "", header["kid"]]
    secrets = [s.encode() for s in secrets] + [
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)]
    for secret in secrets:
        for alg, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512"), ("ES256", "sha256")):
            signed = f"{encode({**header, 'alg': alg})}.{body}"
            yield "the public key as a secret", f"{signed}.{encode(hmac.new(secret, signed.encode(), digest).digest())}"
    shared = OctKey.import_key(json.dumps(jwk))
    yield "the public key as a secret", jws.serialize_compact({**header, "alg": "HS256"}, json.dumps(claims), shared, algorithms=["HS256"])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r in (0, 1, order, order - 1, order + 1, 2 ** 256 - 1):
        for s in (0, 1, order, order - 1, order + 1, 2 ** 256 - 1):
            yield "a degenerate signature", f"{head}.{body}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    for size in (0, 1, 32, 63, 65, 96, 128):
        yield "a signature of another size", f"{head}.{body}.{encode(dice.randbytes(size))}"
    for _ in range(150):
        yield "a random signature", f"{head}.{body}.{encode(dice.randbytes(64))}"

    # The key's name.
    for kid in ("", "x", "../../../../etc/passwd", "/dev/null", "' or '1'='1", "1; drop table account", "\u0000", header["kid"] + " ",
                header["kid"].lower(), header["kid"][:-1], stranger_jwk["x"], "http://evil.example/jwks.json", None, 0, [header["kid"]], {}):
        changed = {**header, "kid": kid}
        yield "another key name", raw(changed, claims)
        yield "another key name", raw(changed, claims, stranger)
    yield "no key name", raw({k: v for k, v in header.items() if k != "kid"}, claims)
    yield "a stranger under our name", sign(key=stranger)
    # A key, or the way to one, in the token: even with our own signature.
    for name, value in (("jwk", stranger_jwk), ("jwk", jwk), ("jku", "https://evil.example/jwks.json"), ("jku", f"{URL}/.well-known/jwks.json"),
                        ("x5u", "https://evil.example/cert.pem"), ("x5c", ["MIIB"]), ("x5t", "abc"), ("x5t#S256", "abc"), ("crit", ["exp"]),
                        ("crit", []), ("b64", False), ("zip", "DEF"), ("cty", "JWT"), ("epk", stranger_jwk), ("enc", "A256GCM")):
        yield "a key in the header", raw({**header, name: value}, claims)
        yield "a key in the header", raw({**header, name: value}, claims, stranger)
    for kind in ("JWT", "jwt", "AT+JWT", "application/at+jwt", "at+jwt ", "", None, "logout+jwt", "dpop+jwt"):
        yield "another type", raw({**header, "typ": kind}, claims)

    # Claims, under our own signature.
    for name, values in {
        "iss": ["https://evil.example", URL + "/", URL.upper(), "", None, 1, [claims["iss"]], "polyclinic "],
        "aud": ["somebody-else", "", None, [], ["polyclinic", "x"], "urn:polyclinic:nowhere", ["urn:polyclinic:nowhere"], "urn:polyclinic:", {}, [1]],
        "exp": [now - 31, now - 3600, 0, -1, None, "soon", str(now + 600), 1e300, 2 ** 63, now + 86_400, [now + 600]],
        "iat": [now + 3600, 0, -1, None, "now", 1e300], "nbf": [now + 3600, "later", 1e300, [0]],
        "sub": ["1", "", None, 1, ["a"], "admin"], "tid": ["", None, 1, "x"], "sid": ["", None, 1],
        "roles": ["admin", [], None, ["root"], [1], {"admin": True}], "loc": ["", None], "zone": [None, 0], "cur": ["rupees", None, 1],
        "client_id": ["", None, 1, []], "scope": [None, 1, ["scheduling.read"]],
    }.items():
        if name in ("client_id", "scope") and name not in claims:
            values = ["x", "", 1]  # A person's token has neither.
        for value in values:
            yield f"claim {name}", sign({**claims, name: value})
        if name not in ("nbf",) and name in claims:
            yield f"no {name}", raw(header, {k: v for k, v in claims.items() if k != name})
    doubled = json.dumps(claims)[:-1]
    for name, value in (("exp", now + 600), ("sub", claims["sub"]), ("roles", ["admin"]), ("aud", claims["aud"])):
        yield "a claim twice", raw(header, f'{doubled}, "{name}": {json.dumps(value)}}}')
    for text in ("", "null", "[]", "1", '"x"', "{}", "{", json.dumps(claims) + "x", "\ufeff" + json.dumps(claims), json.dumps(claims)[:-1] + ', "x": 1e999}'):
        yield "no claims", raw(header, text)
        yield "no header", raw(text, claims)

    # The text itself.
    for text in (token + ".", "." + token, token + "A", token[:-1], head + "." + body, head, body, signature, f"{head}..{signature}", f"{body}.{head}.{signature}",
                 f"{head}.{body}.{signature}.{signature}", token.replace(".", ".."), token + "=", f"{head}=.{body}.{signature}", f"{head}.{body}=.{signature}",
                 token.replace("-", "+").replace("_", "/") + "==", token.upper(), token.lower(), token[::-1], token * 2, "", "null", "undefined", "a.b.c"):
        if text != token:
            yield "another spelling", text
    for cut in range(1, len(token), 7):
        yield "cut off", token[:cut]


def main():
    dice = random.Random(20261120)
    env = os.environ
    secrets = pathlib.Path(env["POLYCLINIC_DATA"], "secrets")
    pem = secrets.joinpath("jwt_private.pem").read_bytes()
    admin = Api("admin")
    person = Api("admin").headers["Authorization"].split()[1]
    given, machine = client_tokens(admin)
    bearer = {"a person's": person, "a client's": given["access_token"], "a machine's": machine}
    kid = segments(person)[0]["kid"]
    jwk = next(k for k in requests.get(f"{URL}/.well-known/jwks.json", timeout=10).json()["keys"] if k["kid"] == kid)

    for door in DOORS:
        check(f"a person's token is taken at {door}", status(door, person) != 401, status(door, person))
    for kind in ("a client's", "a machine's"):
        open_at = [door for door in DOORS if status(door, bearer[kind]) != 401]
        check(f"{kind} token is taken where it is for", "scheduling" in open_at and set(open_at) <= {"scheduling", "auth"}, open_at)
    again = pyjwt.encode(segments(person)[1], pem, "ES256", {k: v for k, v in segments(person)[0].items() if k != "alg"})
    check("the forger holds the real key", status("scheduling", again) == 200)

    by_hand = [(kind, what, text) for kind, token in bearer.items() for what, text in forgeries(token, pem, jwk, dice)]
    by_hand += [("an ID token", "as an access token", given["id_token"]), ("a refresh token", "as an access token", given["refresh_token"])]
    by_hand += [("a mix", "header, claims and signature of three", ".".join(parts)) for parts in (
        (a.split(".")[0], b.split(".")[1], c.split(".")[2]) for a in bearer.values() for b in bearer.values() for c in bearer.values()
    ) if ".".join(parts) not in bearer.values() and parts[1:] not in {tuple(t.split(".")[1:]) for t in bearer.values()}]
    flipped = [(kind, what, text) for kind, token in bearer.items() for what, text in letters(token)]
    doors, seen, asked, accepted = list(DOORS), collections.Counter(), collections.Counter(), []
    # A client's token opens one service, so its flipped bits go there: elsewhere the original is refused as well.
    mutants = [(door, *forged) for forged in by_hand for door in doors] + [
        (doors[number % len(doors)] if forged[0] == "a person's" else "scheduling", *forged) for number, forged in enumerate(flipped)]

    def one(mutant):
        door, kind, what, text = mutant
        return door, what, status(door, text.replace("\0", "")) if fits(text) else None, kind, text

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for door, what, got, kind, text in threads.map(one, mutants):
            seen[got] += 1
            asked[door] += got is not None
            if got not in (401, 400, None):
                accepted.append((door, what, kind, got, text[-40:]))
    for door, what, kind, got, text in accepted[:20]:
        print(f"      {got} at {door} for {kind} token, {what}: …{text}")
    check(f"{len(mutants)} tokens that are almost right in {time.monotonic() - began:.0f} s: none is taken", not accepted, len(accepted))
    check("there were ten thousand that a header can hold", sum(asked.values()) >= 10_000, seen)
    check("each service was shown every forgery made by hand", min(asked.values()) >= sum(fits(text) for _, _, text in by_hand) > 600, asked)
    finish(more=len(mutants))


main()
