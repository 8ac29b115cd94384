"""A peer is measured only when it does the job: the same answer and the same facts as ours, and no to strangers.

Both are given a wish of their own. Ids, times and numbers of a series are masked; all else must be equal. Whoever changes
something must keep the Idempotency-Key: asked twice it does it once and says the same, and another request is refused.
"""
import json
import re
import urllib.error
import urllib.request
import uuid

from stage import say

MASKS = [(re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
         (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"), (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
         (re.compile(r"\b(INV-\d{4}-|[A-Z]+-)\d+"), "NUMBER"), (re.compile(r"eyJ[\w.-]+|\b[\w-]{40,}\b"), "SECRET")]
COUNTS = {"onHand", "position", "waitedSeconds", "expiresIn"}


class NoPeer(Exception):
    def __init__(self, short, detail):
        super().__init__(f"{short}\n{detail}")
        self.short = short


def masked(value):
    if isinstance(value, dict):
        return {name: "COUNT" if name in COUNTS else masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, str):
        for pattern, word in MASKS:
            value = pattern.sub(word, value)
    return value


def send(url, token, wish, key=None):
    _, method, path, match, body = wish
    headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json", "Authorization": f"Bearer {token}"}
    if match:
        headers["If-Match"] = f'"{match}"'
    if method == "POST" and token:
        headers["Idempotency-Key"] = key or str(uuid.uuid4())
    request = urllib.request.Request(url + path, body.encode() if body else None, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, None


def facts(stage, service, since):
    rows = stage.psql(f"select type || ' ' || revision || ' ' || data::text from {service}.outbox where seq > {since} order by seq").splitlines()
    parts = [row.split(" ", 2) for row in rows]
    return [[kind, "counted" if revision != "0" else "0", masked(json.loads(data))] for kind, revision, data in parts]


def kept(stage, job, url, token, asked, other, effects):
    """What its keys are worth: whether each answer is given again, what another request under a key is told, and how often it was done."""
    again = [send(url, token, wish, key=key) == answer for wish, key, answer in asked]
    wish, key, _ = asked[0]
    # A wish that is like all others but for its caller has no other request: the next patient is called.
    reused = send(url, token, other, key=key)[0] if other[1:] != wish[1:] else 422
    return {"said again": again, "reused": reused, "done": int(stage.psql(job.effect)) - effects}


def done(stage, job, url, tokens, wish, other):
    """All that one wish gives: the answers, the facts it left, and what asking twice gives."""
    changes, effects = job.rate and wish[1] == "POST", int(stage.psql(job.effect)) if job.effect else 0
    since = stage.psql(f"select coalesce(max(seq), 0) from {job.service}.outbox") if job.rate else 0
    token = tokens[int(wish[0]) - 1] if wish[0] else ""
    asked = [(wish, key := str(uuid.uuid4()), send(url, token, wish, key=key))]
    answers = [asked[0][2]]
    if job.follow and answers[0][1]:
        path, body = job.follow
        after = [wish[0], "POST", path.format(id=answers[0][1]["id"]), "", body]
        asked.append((after, key := str(uuid.uuid4()), send(url, token, after, key=key)))
        answers += [asked[1][2], (send(url, token, after)[0], None)]
    left = facts(stage, job.service, since) if job.rate else []
    keys = kept(stage, job, url, token, asked, other, effects) if changes else None
    again = send(url, token, wish)[0] if job.rate and not job.follow else None
    stranger = send(url, token[:-6] + "AAAAAA", wish)[0] if wish[0] else 401
    return {"answers": [(status, masked(body)) for status, body in answers], "facts": left, "keys": keys, "again": again, "stranger": stranger}


def prove(stage, job, peer, url):
    say(f"{job.name}: the {peer.name} peer shows that it does the job")
    job.prepare(stage)
    if job.name.startswith("search"):
        return prove_search(stage, job, peer, url)
    tokens, wishes = job.tokens(stage), [line.split("\t", 4) for line in job.wishes(stage)]
    mine = done(stage, job, url, tokens, wishes[0], wishes[2])
    status = mine["answers"][0][0]
    if not 200 <= status < 300 or mine["stranger"] != 401:
        raise SystemExit(f"bench: our own service answered {mine['answers'][0]} and a stranger {mine['stranger']} in {job.name}")
    if mine["keys"] and mine["keys"] != {"said again": [True] * job.steps, "reused": 422, "done": job.steps}:
        raise SystemExit(f"bench: our own service does not keep an Idempotency-Key in {job.name}: {mine['keys']}")
    theirs = done(stage, job, peer.url, tokens, wishes[1 if job.rate else 0], wishes[2])
    for what in mine:
        if mine[what] != theirs[what]:
            raise NoPeer(f"its {what} differ from ours", f"  read {peer.log}\n  ours   {json.dumps(mine[what])[:1500]}\n  theirs {json.dumps(theirs[what])[:1500]}")


def prove_search(stage, job, peer, url):
    """Which names come and in which order is each one's art; the line of whoever was meant must be the same, and be there."""
    token, lines = job.tokens(stage)[0], [line.split("\t", 4) for line in job.wishes(stage)][:40]
    meant = stage.psql("select id from bench.wish order by n limit 40").splitlines()
    found = {"ours": 0, peer.name: 0}
    for wish, id in zip(lines, meant):
        answers = {who: (send(where, token, wish)[1] or {}).get("items") for who, where in (("ours", url), (peer.name, peer.url))}
        if None in answers.values():
            raise NoPeer("it answers a search with an error", f"  read {peer.log}")
        shown = {who: [item for item in items if item["id"] == id] for who, items in answers.items()}
        for who in found:
            found[who] += len(shown[who])
        if all(shown.values()) and shown["ours"] != shown[peer.name]:
            raise NoPeer("it shows another line than ours", str(shown))
    say(f"  of 40 meant, on the first page: {found}")
    stage.found = {**getattr(stage, "found", {}), (job.name, peer.name): found[peer.name], (job.name, "polyclinic"): found["ours"]}
    if found[peer.name] < 20 or found["ours"] < 20:
        raise SystemExit(f"bench: {job.name} finds too few: {found}")
