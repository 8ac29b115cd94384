#!/usr/bin/env python3
"""Authlib against the provider: code with PKCE, ID token, userinfo, refresh and reuse, own credentials, worth, return."""
import time

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from person import URL, Api, Browser, check, finish, parameters, segments

CALLBACK = "http://127.0.0.1:9/callback?kept=1"
meta = requests.get(f"{URL}/.well-known/openid-configuration", timeout=10).json()
keys = KeySet.import_key_set(requests.get(meta["jwks_uri"], timeout=10).json())
check("discovery names the issuer it was asked at", meta["issuer"] == URL, meta["issuer"])
check("discovery offers code and S256 only",
      (meta["response_types_supported"], meta["code_challenge_methods_supported"]) == (["code"], ["S256"]))

admin = Api("admin")
SCOPE = "openid profile email scheduling.read clinical.read clinical.write"
registered = admin.register(
    "Authlib portal", redirectUris=[CALLBACK], postLogoutRedirectUris=["http://127.0.0.1:9/bye"],
    grantTypes=["authorization_code", "refresh_token"], scopes=SCOPE.split())


def session(client=registered, **more):
    return OAuth2Session(client["clientId"], client.get("clientSecret"), redirect_uri=CALLBACK, scope=SCOPE,
                         code_challenge_method="S256", **more)


def begin(client=None, browser=None, who="doctor", **more):
    """One code: (session, verifier, nonce, where the browser ended)."""
    client, verifier, nonce = client or session(), generate_token(64), generate_token(20)
    address, state = client.create_authorization_url(meta["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **more)
    landed = (browser or Browser()).sign_in(address, who)
    return client, verifier, nonce, state, landed


def redeem(client, verifier, landed, state):
    return client.fetch_token(meta["token_endpoint"], authorization_response=landed, code_verifier=verifier, state=state)


def refused(call, *codes):
    """Whether Authlib was told no, in one of these words."""
    try:
        call()
    except Exception as error:  # Authlib's own types carry the code
        return getattr(error, "error", str(error)) in codes
    return False


# Code, PKCE, ID token, userinfo.
browser = Browser()
client, verifier, nonce, state, landed = begin(browser=browser)
answer = parameters(landed)
check("the answer keeps the client's own query, the state and says who answers (RFC 9207)",
      (answer.get("kept"), answer.get("state"), answer.get("iss")) == ("1", state, URL), answer.keys())
token = redeem(client, verifier, landed, state)
claims = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
check("the ID token is for us, of now, and carries our nonce",
      claims["iss"] == URL and claims["aud"] == registered["clientId"] and claims["nonce"] == nonce
      and abs(claims["iat"] - time.time()) < 30 and claims["amr"] == ["pwd"] and "acr" in claims and "auth_time" in claims, claims)
import base64, hashlib  # noqa: E401,E402
half = base64.urlsafe_b64encode(hashlib.sha256(token["access_token"].encode()).digest()[:16]).rstrip(b"=").decode()
check("at_hash binds the access token", claims["at_hash"] == half)
info = client.get(meta["userinfo_endpoint"]).json()
check("userinfo knows the same person", info["sub"] == claims["sub"] and "doctor" in info["roles"] and "@" in info["email"], info)
header, body = segments(token["access_token"])
check("the access token is of its own type, for the services of its scopes",
      header["typ"] == "at+jwt" and body["aud"] == ["urn:polyclinic:auth", "urn:polyclinic:clinical", "urn:polyclinic:scheduling"], body["aud"])


def get(path, access, method="GET", **more):
    return requests.request(method, URL + path, headers={"Authorization": f"Bearer {access}"}, timeout=10, **more).status_code


access = token["access_token"]
check("it opens what it is for", get("/v1/patients?search=meera", access) == 200 and get("/v1/providers", access) == 200)
check("a service that it is not for refuses it", get("/v1/inventory/medicines", access) == 401)
check("what no scope names is refused though the doctor may", get("/v1/auth/me", access) == 403)
check("a scope gives no role: a doctor registers nobody", get("/v1/patients", access, "POST", json={}) == 403)

# The code is single use, the verifier is needed, and a replay takes back what the code gave.
check("a replayed code is refused", refused(lambda: redeem(session(), verifier, landed, state), "invalid_grant"))
deadline = time.monotonic() + 10
while get("/v1/patients?search=meera", access) != 401 and time.monotonic() < deadline:
    time.sleep(0.05)
check("and everything it gave is void, in another service too", get("/v1/patients?search=meera", access) == 401)
check("its refresh token too", refused(lambda: client.refresh_token(meta["token_endpoint"], token["refresh_token"]), "invalid_grant"))

other, verifier, _, state, landed = begin(browser=browser)
check("somebody who is signed in is not asked for the password again", isinstance(landed, str))
check("another verifier is refused", refused(lambda: redeem(other, generate_token(64), landed, state), "invalid_grant"))
check("the right one still works, the code was not used", "access_token" in redeem(other, verifier, landed, state))
other, verifier, _, state, landed = begin(browser=browser)
check("no verifier is refused", refused(lambda: other.fetch_token(meta["token_endpoint"], authorization_response=landed, state=state), "invalid_request"))
other, verifier, _, state, landed = begin(browser=browser)
check("another redirect_uri is refused", refused(
    lambda: other.fetch_token(meta["token_endpoint"], authorization_response=landed, code_verifier=verifier, state=state,
                              redirect_uri=CALLBACK + "2"), "invalid_grant"))
stranger = admin.register("Somebody else", redirectUris=[CALLBACK], grantTypes=["authorization_code"], scopes=["openid"])
other, verifier, _, state, landed = begin(browser=browser)
check("another client cannot redeem it", refused(lambda: redeem(session(stranger), verifier, landed, state), "invalid_grant"))

# Refresh, reuse.
client, verifier, _, state, landed = begin(browser=browser)
token = redeem(client, verifier, landed, state)
second = client.refresh_token(meta["token_endpoint"], token["refresh_token"])
third = client.refresh_token(meta["token_endpoint"], second["refresh_token"])
check("each refresh gives a new token", len({t["refresh_token"] for t in (token, second, third)}) == 3)
check("the suite's own refresh does not take a client's token",
      requests.post(f"{URL}/v1/auth/refresh", json={"refreshToken": third["refresh_token"]}, timeout=10).status_code == 401)
check("a token that comes back is refused",
      refused(lambda: client.refresh_token(meta["token_endpoint"], token["refresh_token"]), "invalid_grant"))
check("and its family is gone", refused(lambda: client.refresh_token(meta["token_endpoint"], third["refresh_token"]), "invalid_grant"))
deadline = time.monotonic() + 10
while get("/v1/providers", third["access_token"]) != 401 and time.monotonic() < deadline:
    time.sleep(0.05)
check("its access token too", get("/v1/providers", third["access_token"]) == 401)

# One resource (RFC 8707), narrower scope.
client, verifier, _, state, landed = begin(browser=browser)
narrow = client.fetch_token(meta["token_endpoint"], authorization_response=landed, code_verifier=verifier, state=state,
                            resource="urn:polyclinic:scheduling")
check("a token asked for one service is for that one", get("/v1/providers", narrow["access_token"]) == 200
      and get("/v1/patients?search=meera", narrow["access_token"]) == 401)

# Own credentials, worth, return.
machine = admin.register("Gateway client", grantTypes=["client_credentials"], roles=["reception"], scopes=["scheduling.read", "clinical.read"])
for method in ("client_secret_basic", "client_secret_post"):
    own = OAuth2Session(machine["clientId"], machine["clientSecret"], token_endpoint_auth_method=method)
    mine = own.fetch_token(meta["token_endpoint"], grant_type="client_credentials", scope="scheduling.read")
    check(f"own credentials by {method}", get("/v1/providers", mine["access_token"]) == 200 and "refresh_token" not in mine)
check("a wrong secret is invalid_client", refused(
    lambda: OAuth2Session(machine["clientId"], "wrong").fetch_token(meta["token_endpoint"], grant_type="client_credentials"), "invalid_client"))
check("there is no password grant", refused(
    lambda: own.fetch_token(meta["token_endpoint"], grant_type="password", username="a", password="b"), "unsupported_grant_type"))
worth = own.introspect_token(meta["introspection_endpoint"], token=mine["access_token"]).json()
check("introspection says what it is worth", worth["active"] and worth["scope"] == "scheduling.read" and worth["client_id"] == machine["clientId"], worth)
check("and nothing about others' tokens",
      own.introspect_token(meta["introspection_endpoint"], token=narrow["access_token"]).json() == {"active": False})
returned = client.revoke_token(meta["revocation_endpoint"], token=narrow["refresh_token"], token_type_hint="refresh_token")
check("a token is given back", returned.status_code == 200)
check("and worth nothing", client.introspect_token(meta["introspection_endpoint"], token=narrow["access_token"]).json() == {"active": False})
time.sleep(0.01)
own.revoke_token(meta["revocation_endpoint"], token=mine["access_token"])
check("a machine's too", own.introspect_token(meta["introspection_endpoint"], token=mine["access_token"]).json() == {"active": False})

# What a link may not do.
good = {"response_type": "code", "client_id": registered["clientId"], "redirect_uri": CALLBACK, "scope": "openid",
        "state": "s", "code_challenge": create_s256_code_challenge(generate_token(64)), "code_challenge_method": "S256"}


def link(**changes):
    wish = {k: v for k, v in {**good, **changes}.items() if v is not None}
    answer = Browser().ask("GET", f"{meta['authorization_endpoint']}?" + "&".join(
        f"{k}={requests.utils.quote(v, safe='')}" for k, v in wish.items()))
    place = answer.headers.get("Location", "")
    return answer.status_code, parameters(place).get("error") if place else None, place


for what, changes in {
    "another address": {"redirect_uri": "http://127.0.0.1:9/other"}, "a longer address": {"redirect_uri": CALLBACK + "2"},
    "a deeper address": {"redirect_uri": "http://127.0.0.1:9/callback/../evil"},
    "another host that begins alike": {"redirect_uri": "http://127.0.0.1:9.evil.example/callback?kept=1"},
    "no address": {"redirect_uri": None}, "an unknown client": {"client_id": admin.user["id"]}, "no client": {"client_id": None},
}.items():
    status, _, place = link(**changes)
    check(f"{what}: a page, and nobody is sent anywhere", status == 400 and not place, (status, place))
for what, changes, error in [
    ("no challenge", {"code_challenge": None}, "invalid_request"), ("a plain challenge", {"code_challenge_method": "plain"}, "invalid_request"),
    ("no method", {"code_challenge_method": None}, "invalid_request"), ("implicit", {"response_type": "token"}, "unsupported_response_type"),
    ("hybrid", {"response_type": "code id_token"}, "unsupported_response_type"), ("a scope too many", {"scope": "billing.write"}, "invalid_scope"),
    ("a request object", {"request": "a.b.c"}, "request_not_supported"), ("a foreign resource", {"resource": "urn:polyclinic:billing"}, "invalid_target"),
    ("nobody signed in, and silence wished", {"prompt": "none"}, "login_required"),
]:
    status, got, place = link(**changes)
    check(f"{what}: {error}, with state and issuer", got == error and parameters(place).get("state") == "s" and parameters(place).get("iss") == URL, (status, got))

# The page: another site's form, another browser, another clinic's refusal.
page = Browser()
shown = page.follow(page.ask("GET", link()[2] and meta["authorization_endpoint"] + "?" + "&".join(
    f"{k}={requests.utils.quote(v, safe='')}" for k, v in good.items())))
csp = shown.headers["Content-Security-Policy"]
nonce = csp.partition("script-src 'nonce-")[2].partition("'")[0]
check("the page takes our own script, no other, and no frame", "default-src 'none'" in csp and "frame-ancestors 'none'" in csp
      and "unsafe" not in csp and len(nonce) > 20 and shown.text.count("<script") == shown.text.count(f'<script nonce="{nonce}">') == 1)
from person import _Forms, PASSWORD  # noqa: E402
form = _Forms(shown.text)
filled = {**form.fields, "email": "doctor@demo.example", "password": PASSWORD}
check("another site's form is refused", page.ask("POST", form.action, filled, Origin="https://evil.example").status_code == 403)
check("a form without its token is refused", page.ask("POST", form.action, {**filled, "token": "A" * 43}).status_code == 403)
check("another browser's form is refused", Browser().ask("POST", form.action, filled).status_code == 403)
wrong = page.ask("POST", form.action, {**filled, "password": "not the password"})
check("a wrong password is said on the page, not in the address", wrong.status_code == 422 and 'role="alert"' in wrong.text)
check("prompt=login asks again", 'name="password"' in browser.follow(browser.ask(
    "GET", meta["authorization_endpoint"] + "?prompt=login&" + "&".join(f"{k}={requests.utils.quote(v, safe='')}" for k, v in good.items()))).text)
denied = Browser().sign_in(meta["authorization_endpoint"] + "?prompt=consent&" + "&".join(
    f"{k}={requests.utils.quote(v, safe='')}" for k, v in good.items()), "doctor", consent="deny")
check("who does not agree is believed", parameters(denied).get("error") == "access_denied", denied)

# Signing out of the browser ends what was begun in it.
client, verifier, _, state, landed = begin(browser=browser)
token = redeem(client, verifier, landed, state)
gone = browser.follow(browser.ask("GET", meta["end_session_endpoint"] + "?state=x&post_logout_redirect_uri="
                                  + requests.utils.quote("http://127.0.0.1:9/bye", safe="") + "&id_token_hint=" + token["id_token"]))
check("signing out leads back", gone == "http://127.0.0.1:9/bye?state=x", gone)
deadline = time.monotonic() + 10
while get("/v1/providers", token["access_token"]) != 401 and time.monotonic() < deadline:
    time.sleep(0.05)
check("and the access token is void within seconds", get("/v1/providers", token["access_token"]) == 401)
check("and the browser is asked again", 'name="password"' in browser.follow(browser.ask(
    "GET", meta["authorization_endpoint"] + "?" + "&".join(f"{k}={requests.utils.quote(v, safe='')}" for k, v in good.items()))).text)

# What a client loses ends at once.
other = Browser()
client, verifier, _, state, landed = begin(browser=other)
token = redeem(client, verifier, landed, state)
tag = admin.call("GET", f"/v1/auth/clients/{registered['id']}").headers["ETag"]
check("a client is inactivated", admin.call("PATCH", f"/v1/auth/clients/{registered['id']}", {"active": False}, **{"If-Match": tag}).status_code == 200)
check("and gets no more tokens", refused(lambda: client.refresh_token(meta["token_endpoint"], token["refresh_token"]), "invalid_client"))
deadline = time.monotonic() + 10
while get("/v1/providers", token["access_token"]) != 401 and time.monotonic() < deadline:
    time.sleep(0.05)
check("and those it had are void", get("/v1/providers", token["access_token"]) == 401)
finish()
