"""Injections, made and not fetched: openings x what is tried x endings, 2,000 and more for each parameter that takes words.

The services bind every parameter, so each must be answered like any other nonsense: no 5xx, no word of SQL, and nobody waits
for a sleep that was smuggled in.
"""
import concurrent.futures
import http.client
import itertools
import json
import re
import time
import urllib.parse

OPENINGS = ["", "'", '"', "')", "'))", "\\'", "%27", "''", "`", "1", "-1", "1'", "x' ", "\u2019", "\uff07", "$$", "E'", "'||'"]
TRIES = [
    " or 1=1", " or 'a'='a", " and 1=2", " or true", " union select null", " union select null,null,null", " union all select version()",
    "; select pg_sleep(5)", " or pg_sleep(5) is null", "||(select pg_sleep(5))||", ";drop table patient", "; update account set roles='{admin}'",
    " and 1=cast((select current_user) as int)", " and (select count(*) from pg_user)>0", " order by 99", " group by 1 having 1=1", " like '%", "%", "_%",
    "; copy (select 1) to program 'id'", " and extractvalue(1,concat(0x7e,version()))", " or exists(select 1 from pg_tables)", "/**/or/**/1=1",
    " returning *", "; set role postgres", " and ascii(substr((select current_user),1,1))>64", " waitfor delay '0:0:5'", " or sleep(5)",
    " procedure analyse()", "{$ne:null}", "*)(uid=*", "${jndi:ldap://127.0.0.1/a}", "{{7*7}}", "$(sleep 5)", "|sleep 5", "<!--#exec cmd=id-->",
    "\u0000", "\r\nSet-Cookie: a=b", "../../../../etc/passwd", "%00", "\U0001f600",
]
ENDINGS = ["", "--", "-- ", "#", "/*"]


def corpus():
    """At least 2,000 different ones, none longer than a parameter may be."""
    made = dict.fromkeys(a + b + c for a, b, c in itertools.product(OPENINGS, TRIES, ENDINGS))
    return [p for p in made if 2 <= len(p) <= 100]


class Parameter:
    """One place that takes words: in the query, in the path, or a field of a body."""

    def __init__(self, service, method, path, place, name):
        self.service, self.method, self.path, self.place, self.name = service, method, path, place, name

    def __str__(self):
        return f"{self.method} {self.path} {self.name}"

    def request(self, word):
        quoted = urllib.parse.quote(word, safe="")
        if self.place == "query":
            return self.method, f"{self.path}?{self.name}={quoted}", None
        if self.place == "path":
            return self.method, self.path.replace("{" + self.name + "}", quoted), None
        return self.method, self.path, json.dumps({self.name: word}).encode()


# What changes nothing: every query parameter of a GET that takes words, one path of each service, and searches by body.
BODIES = [("clinical", "POST", "/v1/patients/search", "search"), ("clinical", "POST", "/v1/patients/search", "cursor"), ("auth", "POST", "/v1/auth/refresh", "refreshToken")]


def parameters(document):
    found, seen = [], set()
    for path, methods in sorted(document["paths"].items()):
        what = methods.get("get")
        if not what or path.startswith("/internal") or path.endswith(("/live", "/events")):
            continue
        service = what["tags"][0]
        for parameter in what.get("parameters", []):
            schema = parameter.get("schema", {})
            if parameter["in"] == "query" and schema.get("type") == "string" and "{" not in path:
                found.append(Parameter(service, "GET", path, "query", parameter["name"]))
            elif parameter["in"] == "path" and service not in seen and path.count("{") == 1:
                seen.add(service)
                found.append(Parameter(service, "GET", path, "path", parameter["name"]))
    return found + [Parameter(s, m, p, "body", n) for s, m, p, n in BODIES]


def try_all(parameter, words, host, port, sign_in):
    """Everything at one parameter, on one connection; what was wrong, and the slowest answer."""
    wrong, slowest, statuses = [], (0, ""), {}
    connection = http.client.HTTPConnection(host, port, timeout=20)
    headers = {"Authorization": f"Bearer {sign_in()}", "Content-Type": "application/json"}
    for word in words:
        method, path, body = parameter.request(word)
        began = time.perf_counter()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        took = time.perf_counter() - began
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        slowest = max(slowest, (took, word))
        if answer.status >= 500:
            wrong.append(f"{parameter} answered {answer.status} to {word!r}")
        if answer.status >= 400 and re.search(rb"syntax error|SQLSTATE|PostgresError|pg_(?:catalog|sleep|user|tables)", said):
            wrong.append(f"{parameter} spoke of SQL to {word!r}")
        # Nobody sleeps for five seconds here but who was told to.
        if took > 4:
            wrong.append(f"{parameter} took {took:.1f} s for {word!r}")
    connection.close()
    return parameter, wrong, slowest, statuses


def run(url, sign_in, document, most=None):
    words = corpus()
    place = urllib.parse.urlsplit(url)
    targets = parameters(document)[:most]
    wrong, total, per_service = [], 0, {}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for parameter, bad, slowest, statuses in pool.map(lambda p: try_all(p, words, place.hostname, place.port, sign_in), targets):
            wrong += bad
            total += sum(statuses.values())
            one = per_service.setdefault(parameter.service, [0, 0, 0.0])
            one[0] += 1
            one[1] += sum(statuses.values())
            one[2] = max(one[2], slowest[0])
    for service, (count, sent, slowest) in sorted(per_service.items()):
        print(f"  {service:14} {count:3} parameters, {sent:7} payloads, slowest answer {slowest * 1000:.0f} ms")
    print(f"  {len(words)} payloads for each of {len(targets)} parameters: {total} sent, {len(wrong)} findings")
    for line in wrong[:20]:
        print("   ", line)
    return not wrong


if __name__ == "__main__":
    print(len(corpus()))
