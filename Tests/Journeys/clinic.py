"""A clinic seen from its front door: the HTTP client that the demo and the journey tests share.

Only the standard library, so that `make demo` runs on a bare machine.
"""
import datetime
import http.client
import json
import os
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "Polyclinic-demo-2026"
LICENCE = {"number": "MCI-2026-001", "authority": "State Medical Council", "validUntil": "2199-12-31"}
# The administrator has the papers before them while opening the account, so the doctor can be booked at once.
SEEN_LICENCE = {**LICENCE, "seen": ["licence", "identity"]}


def stack_environment() -> dict:
    """What `make env` prints, unless it is in our environment already."""
    if "POLYCLINIC_URL" in os.environ:
        return dict(os.environ)
    lines = subprocess.run([f"{ROOT}/deploy/local/stack", "env"], check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in lines.splitlines())


def metrics(env, service) -> str:
    """What a service tells Prometheus."""
    with open(f"{env['POLYCLINIC_DATA']}/env/{service}", encoding="utf-8") as file:
        port = next(int(line[12:]) for line in file if line.startswith("HEALTH_PORT="))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


class Answer:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.seconds = status, headers, seconds
        self.bytes = body
        self.json = None
        if body and "json" in headers.get("content-type", ""):
            self.json = json.loads(body)

    @property
    def code(self):
        return (self.json or {}).get("code") if isinstance(self.json, dict) else None

    def __getitem__(self, name):
        return self.json[name]

    def __repr__(self):
        return f"<{self.status} {self.bytes[:400]!r}>"


class Unexpected(AssertionError):
    pass


class Clinic:
    """Calls the gateway. `token` is whoever signed in with `as_`, who signs in again before it expires, as an application does."""

    TOKEN_SECONDS = 480  # of the ten minutes that it counts

    def __init__(self, url=None, token=None, connections=None):
        self.url = url or stack_environment()["POLYCLINIC_URL"]
        self.token = token
        parsed = urllib.parse.urlsplit(self.url)
        self.host, self.port = parsed.hostname, parsed.port
        self.local = threading.local()
        self.renewal = None  # until when the token is used, and how another is had

    def as_(self, email, password=PASSWORD):
        if "@" not in email:
            email += "@demo.example"
        def sign_in():
            return self.call("POST", "/v1/auth/login", {"email": email, "password": password}, expect=200)["accessToken"]
        client = Clinic(self.url, sign_in())
        client.renewal = time.monotonic() + self.TOKEN_SECONDS, sign_in
        return client

    def call(self, method, path, body=None, *, expect=None, headers=None, raw=None, key=None, timeout=20):
        """One request. `expect` is a status (or several) and makes anything else an error."""
        if self.renewal and time.monotonic() > self.renewal[0]:
            self.token, self.renewal = self.renewal[1](), (time.monotonic() + self.TOKEN_SECONDS, self.renewal[1])
        sent = {"Accept": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        if data is not None:
            sent["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        if key:
            sent["Idempotency-Key"] = key
        sent.update(headers or {})
        began = time.perf_counter()
        for attempt in (0, 1):
            connection = getattr(self.local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self.local.connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
            try:
                connection.request(method, path, data, sent)
                answer = connection.getresponse()
                read = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = None
                if fresh or attempt:  # a kept-alive connection may have been closed under us, a fresh one not
                    raise
        result = Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, read, time.perf_counter() - began)
        if expect is not None and result.status not in (expect if isinstance(expect, tuple) else (expect,)):
            raise Unexpected(f"{method} {path} answered {result.status}, expected {expect}: {read[:600].decode(errors='replace')}")
        return result

    def get(self, path, expect=200, **options):
        return self.call("GET", path, expect=expect, **options)

    def post(self, path, body=None, expect=201, **options):
        return self.call("POST", path, {} if body is None else body, expect=expect, **options)

    def open_account(self, person, password=PASSWORD, **options):
        """An account whose owner has signed in once and chosen a password, as everybody must."""
        account = self.post("/v1/users", person, **options)
        Clinic(self.url).post("/v1/auth/login", {
            "email": person["email"], "password": account["temporaryPassword"], "newPassword": password}, expect=200)
        return account

    def patch(self, path, body, expect=200, version=None, **options):
        """With `version` None the current ETag is read first."""
        if version is None:
            version = self.get(path).headers.get("etag")
        return self.call("PATCH", path, body, expect=expect, headers={"If-Match": version}, **options)

    def eventually(self, path, condition, seconds=20, expect=200):
        """Reads until `condition(answer)` holds: for what arrives by event."""
        until = time.monotonic() + seconds
        while True:
            answer = self.get(path, expect=None)
            if answer.status == expect and condition(answer):
                return answer
            if time.monotonic() > until:
                raise Unexpected(f"GET {path} did not come true within {seconds} s; last: {answer}")
            time.sleep(0.05)


# The demo and the tests work at a site where it is about ten in the morning, whatever the hour is here: half of what
# they do must happen "today", and a day that ends in ten minutes has no free slot left.
_offset = 10 - datetime.datetime.now(datetime.timezone.utc).hour
OFFSET_HOURS = _offset + 24 if _offset < -12 else _offset
ZONE = f"Etc/GMT{-OFFSET_HOURS:+d}" if OFFSET_HOURS else "Etc/GMT"  # in Etc/ names the sign is turned round


def today():
    """The site's date."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=OFFSET_HOURS)).date()


class Site:
    """A daytime site of the demo clinic with its own staff."""

    def __init__(self, door):
        head = door.as_("admin")
        name = f"Daytime {ZONE}"
        known = [l["id"] for l in head.get("/v1/locations?limit=100")["items"] if l["name"] == name]
        self.location = known[0] if known else head.post("/v1/locations", {"name": name, "zone": ZONE, "currency": "INR"})["id"]
        self.admin = self.hire(head, "admin")
        self.reception, self.pharmacist, self.nurse = (self.hire(self.admin, role) for role in ("reception", "pharmacist", "nurse"))

    def hire(self, admin, role):
        email = f"{unique(role)}@demo.example"
        admin.open_account({"name": f"Site {role}", "email": email, "roles": [role], "locationId": self.location})
        return Clinic(admin.url).as_(email)


def unique(text="x"):
    return f"{text}-{uuid.uuid4().hex[:10]}"


def new_doctor(admin, name="Dr. Demo"):
    """A doctor of one's own, with an empty queue: (client, provider)."""
    email = f"{unique('doctor')}@demo.example"
    account = admin.open_account({"name": name, "email": email, "roles": ["doctor"], "licence": SEEN_LICENCE})
    found = {}

    def listed(answer):
        match = [p for p in answer["items"] if p["accountId"] == account["id"] and p.get("licensed", True)]
        found.update(match[0] if match else {})
        return bool(match)

    cursor = "/v1/providers?limit=100"
    until = time.monotonic() + 20
    while not found:
        path = cursor
        while path:
            page = admin.get(path)
            if listed(page):
                break
            path = f"{cursor}&cursor={page['nextCursor']}" if page.json.get("nextCursor") else None
        if time.monotonic() > until:
            raise Unexpected("the new doctor was not listed as a provider within 20 s")
        if not found:
            time.sleep(0.05)
    return Clinic(admin.url).as_(email), found


def replace(file, text):
    """As an operator's tool does: whole or not at all, and readable by who could read it before."""
    new = file.with_suffix(".new")
    new.write_text(text)
    facts = file.stat()
    os.chmod(new, facts.st_mode)
    os.chown(new, facts.st_uid, facts.st_gid)
    new.rename(file)
