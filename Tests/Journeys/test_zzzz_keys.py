"""Signing keys move on while everything runs (S13). Last of all: the tests before hold tokens of the old key."""
import base64
import json
import pathlib
import time

from clinic import Clinic


def test_keys_are_rotated_while_everything_runs(door, stack, reception, env):
    """No valid token is refused at any step; the published set grows and the next key signs without a restart."""
    def rotate(step):
        return stack("run", "auth", "rotate-keys", "--step", step, "--notice", "0", check=False)

    def keys():
        return {key["kid"] for key in door.get("/.well-known/jwks.json")["keys"]}

    def signed_by(token):
        return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]

    reception = Clinic(door.url, reception.token)  # with one token all the way: it is not renewed
    old = signed_by(reception.token)
    done = rotate("publish")
    assert done.returncode == 0, done.stderr
    new = done.stdout.split()[1]
    # Readers look every 30 seconds, and at once when a token names a key that they do not know.
    head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": new}).encode()).rstrip(b"=").decode()
    Clinic(door.url, f"{head}.e30.{'A' * 86}").call("GET", "/v1/auth/me", expect=401)
    soon_enough = time.monotonic() + 45
    while new not in keys():
        assert reception.get("/v1/patients?search=meera").status == 200 and time.monotonic() < soon_enough
        time.sleep(0.5)
    assert rotate("activate").returncode == 0
    soon_enough = time.monotonic() + 30
    while signed_by((fresh := door.as_("reception")).token) != new:
        assert time.monotonic() < soon_enough
        time.sleep(0.5)
    for client in (reception, fresh):  # the old key's tokens live on, the new key's are taken at once
        for path in ("/v1/patients?search=meera", "/v1/providers", "/v1/queue/today", "/v1/inventory/medicines"):
            assert client.call("GET", path).status == 200, path
    # Its last token has not expired; keys of an earlier run on this stack may go.
    assert old not in rotate("retire").stdout and {old, new} <= keys()

    # What retiring does in the end: the old key is published no more, and its tokens are refused before they expire.
    published = pathlib.Path(env["POLYCLINIC_DATA"], "secrets", "jwks.json")
    left = {"keys": [key for key in json.loads(published.read_text())["keys"] if key["kid"] != old]}
    published.with_suffix(".new").write_text(json.dumps(left))
    published.with_suffix(".new").chmod(0o644)
    published.with_suffix(".new").rename(published)
    soon_enough = time.monotonic() + 45
    for path in ("/v1/patients?search=meera", "/v1/providers", "/v1/auth/me"):
        while reception.call("GET", path).status != 401:
            assert time.monotonic() < soon_enough, path
            time.sleep(0.5)
        assert fresh.call("GET", path).status == 200, path
