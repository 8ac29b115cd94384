"""The desk looks somebody up: by id, by name, by half a name, by a name that is not spelt so."""
import random
import urllib.parse

from hashes import PLAIN, Hashes
from jobs.job import Job
from stage import say


def spoilt(name, dice):
    """One edit in one word, as fingers make it."""
    words = name.lower().split()
    at = dice.randrange(len(words))
    word, i = words[at], dice.randrange(1, max(2, len(words[at]) - 1))
    words[at] = dice.choice([word[:i] + word[i + 1:], word[:i - 1] + word[i] + word[i - 1] + word[i + 1:], word[:i] + dice.choice("aeioukst") + word[i + 1:]])
    return " ".join(words)


def names(stage):
    """Reads all names through the API, once: the peers' table, and what will be typed, with the hashes that the service makes of it."""
    have, all_ = stage.psql("select (select count(*) from bench.name) || ' ' || (select count(*) from clinical.patient)").split()
    if have == all_ and stage.psql("select count(last) from bench.typed") == "15000":
        return
    say(f"reading {all_} names through the API, for the peers' search in clear")
    desk, path, rows = stage.door.as_("reception"), "/v1/patients?limit=100", []
    while path:
        page = desk.get(path)
        rows += page["items"]
        path = page.json.get("nextCursor") and f"/v1/patients?limit=100&cursor={urllib.parse.quote(page['nextCursor'])}"
    stage.psql("truncate bench.name, bench.typed")
    stage.copy("bench.name (tenant_id, id, mrn, name, birth_date, sex, phone, active)", (
        "\t".join([stage.tenant, r["id"], str(int(r["mrn"][4:])), r["name"], r.get("birthDate") or "\\N", r.get("sex") or "\\N", r.get("phone") or "\\N", "t"]) + "\n" for r in rows))
    dice = random.Random(7)
    plain, hashes = [r for r in rows if PLAIN.fullmatch(r["name"]) and len(set(r["name"].lower().split())) == 2], Hashes(stage)
    meant = [dice.choice(plain) for _ in range(5000)]
    kinds = {"exact": lambda name: name, "prefix": lambda name: name[:name.index(" ") + 4] if " " in name else name[:4], "misspelt": lambda name: spoilt(name, dice)}
    typed = [(kind, n, r["id"], type_(r["name"])) for kind, type_ in kinds.items() for n, r in enumerate(meant, 1)]
    stage.copy("bench.typed (kind, n, id, text, first, last)", ("\t".join(map(str, [*line, *hashes.asked(line[3])])) + "\n" for line in typed))
    stage.psql("analyze bench.name; analyze bench.typed")
    lost = stage.psql("select count(*) from bench.typed t where kind = 'exact' and not exists (select from clinical.patient_key k where k.patient_id = t.id and k.key = any(t.last))")
    if lost != "0":
        raise SystemExit(f"bench: {lost} of 5000 names are not under the hashes that hashes.py makes: does SearchKeys.swift make others now?")


def search(kind, words, **more):
    return Job(
        f"search-{kind}", words, "clinical", before=names, statements="search",
        setup=f"""create table bench.wish as select n, id, text, first, last, json_build_object('service', 'clinical', 'entries', json_build_array(
            json_build_object('id', 'ENTRY', 'at', now(), 'actorId', gen_random_uuid(), 'role', 'reception', 'action', 'search', 'resource', 'patient_list',
            'resourceId', 'patient_list', 'allowed', true, 'purpose', 'TREAT', 'after', json_build_object('patients', json_build_array(id)),
            'traceId', '0af7651916cd43dd8448eb211c80319c'))) as entry from bench.typed where kind = '{kind}'""",
        line="bench.line('1', 'GET', '/v1/patients?limit=10&search=' || replace(text, ' ', '%20'), '', '')", **more)


JOBS = [
    Job("read", "read a patient by id", "clinical", gateway=True,
        setup="""create table bench.wish as select row_number() over () as n, id, json_build_object('service', 'clinical', 'entries', json_build_array(
            json_build_object('id', 'ENTRY', 'at', now(), 'actorId', gen_random_uuid(), 'role', 'reception', 'action', 'read', 'resource', 'patient',
            'resourceId', id, 'allowed', true, 'patientId', id, 'purpose', 'TREAT', 'after', json_build_object('ground', 'role'),
            'traceId', '0af7651916cd43dd8448eb211c80319c'))) as entry from (select id from clinical.patient order by random() limit {need}) p""",
        line="bench.line('1', 'GET', '/v1/patients/' || id, '', '')",
        aims=(("Go", "rps", ">=", 1.0, "read by id ≥ 1.0 × Go's requests/s"), ("Go", "service", "<=", 1.0, "read by id: service CPU ≤ Go's"))),
    search("exact", "search by full name"),
    search("prefix", "search by a name begun"),
    search("misspelt", "search by a misspelt name",
           aims=(("Go", "rps", ">=", 1.0, "misspelt search ≥ 1.0 × Go with trigrams"),)),
]
