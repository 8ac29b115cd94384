"""Signing keys move on under load (S13). Last of all: the tests before hold tokens of the old key."""
import base64
import collections
import json
import pathlib
import threading
import time

from clinic import Clinic

# One route of each of four services, so that each must know the keys by itself.
PATHS = ("/v1/patients?search=meera", "/v1/providers", "/v1/queue/today", "/v1/inventory/medicines")


class Readers:
    """Threads that read without a pause, and what they were refused; `ask` gives the client to read with."""

    def __init__(self, count, ask):
        self.ask, self.over = ask, threading.Event()
        self.refused, self.read = [], collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(count)]

    def run(self, turn):
        while not self.over.is_set():
            turn += 1
            client, path = self.ask(), PATHS[turn % len(PATHS)]
            try:
                answer = client.call("GET", path)
            except OSError as error:
                self.refused.append((path, error))
                continue
            self.read[(path, signed_by(client.token))] += 1
            if answer.status != 200:
                self.refused.append((path, answer))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def signed_by(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


def test_keys_are_rotated_while_everything_runs(door, stack, env):
    """No valid token is refused at any step, whoever asks meanwhile; the published set grows and the next key signs without a restart."""
    def rotate(step):
        return stack("run", "auth", "rotate-keys", "--step", step, "--notice", "0", check=False)

    def keys():
        return {key["kid"] for key in door.get("/.well-known/jwks.json")["keys"]}

    early = Clinic(door.url, door.as_("reception").token)  # with one token all the way: it is not renewed
    old = signed_by(early.token)
    with Readers(1, lambda: door.as_("nurse")) as newcomers:  # somebody signs in all the while, and reads with what they got
        with Readers(4, lambda: early) as readers:
            done = rotate("publish")
            assert done.returncode == 0, done.stderr
            new = done.stdout.split()[1]
            # Readers look every 30 seconds, and at once when a token names a key that they do not know.
            head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": new}).encode()).rstrip(b"=").decode()
            Clinic(door.url, f"{head}.e30.{'A' * 86}").call("GET", "/v1/auth/me", expect=401)
            soon_enough = time.monotonic() + 45
            while new not in keys():
                assert time.monotonic() < soon_enough
                time.sleep(0.5)
            assert rotate("activate").returncode == 0
            soon_enough = time.monotonic() + 30
            while any(newcomers.read[(path, new)] < 2 for path in PATHS):  # the new key signs, and is taken at once everywhere
                assert time.monotonic() < soon_enough, newcomers.read
                time.sleep(0.1)
            # Its last token has not expired; keys of an earlier run on this stack may go.
            assert old not in rotate("retire").stdout and {old, new} <= keys()
            after = readers.read.total()
            soon_enough = time.monotonic() + 30
            while readers.read.total() < after + 100:  # and after that step as well
                assert time.monotonic() < soon_enough, readers.read
                time.sleep(0.1)
        assert not readers.refused, readers.refused[:3]
        assert min(readers.read[(path, old)] for path in PATHS) > 50, readers.read

        # What retiring does in the end: the old key is published no more, and its tokens are refused before they expire.
        published = pathlib.Path(env["POLYCLINIC_DATA"], "secrets", "jwks.json")
        left = {"keys": [key for key in json.loads(published.read_text())["keys"] if key["kid"] != old]}
        published.with_suffix(".new").write_text(json.dumps(left))
        published.with_suffix(".new").chmod(0o644)
        published.with_suffix(".new").rename(published)
        soon_enough = time.monotonic() + 45
        for path in (*PATHS, "/v1/auth/me"):
            while early.call("GET", path).status != 401:
                assert time.monotonic() < soon_enough, path
                time.sleep(0.5)
    assert not newcomers.refused, newcomers.refused[:3]
    print(f"{readers.read.total()} reads with tokens of the old key and {newcomers.read.total()} with the newest, none refused")
