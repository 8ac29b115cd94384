"""The clinic as its administrator and its people meet it: registering clients, and a browser without scripts.

The browser keeps cookies as Chromium does: `Secure` ones go to localhost without TLS too, which Python's jars refuse.
"""
import html.parser
import json
import os
import sys
import urllib.parse

import requests

URL = os.environ["POLYCLINIC_URL"].replace("127.0.0.1", "localhost")
PASSWORD = "Polyclinic-demo-2026"
failures = []
checks = 0


def check(what, holds, seen=""):
    """Prints each thing that a client relied on; the step fails at its end if one did not hold."""
    global checks
    checks += 1
    print(f"  {'ok ' if holds else 'BAD'} {what}" + (f"  ({seen})" if seen != "" and not holds else ""))
    if not holds:
        failures.append(what)


def finish(more=0):
    print(f"  {checks + more - len(failures)} of {checks + more} cases")
    sys.exit(1 if failures else 0)


class Api:
    """The JSON API, as one of the demo's people."""

    def __init__(self, who):
        answer = requests.post(f"{URL}/v1/auth/login", json={"email": f"{who}@demo.example", "password": PASSWORD}, timeout=20)
        answer.raise_for_status()
        self.user, self.refresh = answer.json()["user"], answer.json()["refreshToken"]
        self.headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    def register(self, name, **more):
        answer = requests.post(f"{URL}/v1/auth/clients", json={"name": name, **more}, headers=self.headers, timeout=20)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def call(self, method, path, body=None, **headers):
        return requests.request(method, URL + path, json=body, headers={**self.headers, **headers}, timeout=20)


class _Forms(html.parser.HTMLParser):
    """The first form of a page: the one that needs no script."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.number = None, {}, 0
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        found = dict(pairs)
        if tag == "form":
            self.number += 1
            self.action = self.action or found["action"]
        if tag == "input" and self.number == 1 and found.get("type") == "hidden":
            self.fields[found["name"]] = found["value"]


class Browser:
    """Follows links and sends forms; stops at the first address that is not the clinic's."""

    def __init__(self):
        self.cookies = {}

    def ask(self, method, address, data=None, **headers):
        address = urllib.parse.urljoin(URL, address)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            headers.setdefault("Origin", URL)
        answer = requests.request(method, address, data=data, headers=headers, allow_redirects=False, timeout=20)
        for line in answer.raw.headers.getlist("Set-Cookie"):
            pair, *rest = line.split(";")
            name, value = pair.split("=", 1)
            # The one that says no more than that this browser was here before is Secure only where there is TLS.
            bound = {"HttpOnly", "Path=/"} | (set() if name == "polyclinic_device" else {"Secure"})
            assert (name.startswith("__Host-") or name == "polyclinic_device") and bound <= {r.strip() for r in rest}, line
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        return answer

    def follow(self, answer):
        while answer.status_code in (302, 303):
            target = urllib.parse.urljoin(URL, answer.headers["Location"])
            if not target.startswith(URL + "/"):
                return target
            answer = self.ask("GET", target)
        return answer

    def submit(self, answer, **fields):
        form = _Forms(answer.text)
        return self.follow(self.ask("POST", form.action, {**form.fields, **fields}))

    def sign_in(self, address, who, consent="allow"):
        """From a client's link to the address it is answered at."""
        page = self.follow(self.ask("GET", address))
        if not isinstance(page, str) and 'name="password"' in page.text:
            page = self.submit(page, email=f"{who}@demo.example", password=PASSWORD)
        if not isinstance(page, str) and "/oauth2/consent" in page.text:
            page = self.submit(page, decision=consent)
        return page


def parameters(address):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))


def segments(token):
    import base64
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]
