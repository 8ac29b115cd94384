"""100,000 patients and 1,000,000 free slots, through the API; what a bench home has already is not loaded again."""
import datetime
import random

import effects
from clinic import new_doctor, today
from drive import wrk
from machine import parallel
from stage import PATIENTS, ROOT, SLOTS, as_json, say


def load(stage, patients_wanted=PATIENTS, slots_wanted=SLOTS):
    stage.psql((ROOT / "Tests/Bench/sql/schema.sql").read_text())
    effects.listed(stage)
    stage.day = stage.psql("select (now() at time zone 'Asia/Kolkata')::date")
    loaded = patients(stage, patients_wanted) + slots(stage, slots_wanted)
    if loaded:
        say("vacuum analyze")
        stage.psql("vacuum (analyze)")
    stage.settle()


def patients(stage, wanted):
    """wrk registers them, since it leaves the most of the machine to the services."""
    made = 0
    while (have := int(stage.psql("select count(*) from clinical.patient"))) < wanted:
        say(f"registering {wanted - have} patients through the API")
        bodies = [as_json(person(i)) for i in range(have, min(wanted, have + 40_000))]
        wishes = [f"1\tPOST\t/v1/patients\t\t{body}" for body in bodies]
        # Never more than were asked for: a round ends well before its wishes do, and the last ones are short.
        seconds = 20 if wanted - have > 40_000 else max(1, (wanted - have) // 2500)
        figures = wrk(stage, f"http://127.0.0.1:{stage.port('clinical')}", wishes, [stage.door.as_("reception").token], seconds=seconds)
        if figures["bad"] or not figures["requests"]:
            raise SystemExit(f"bench: {figures['bad']} registrations failed; read the clinical service's log")
        made += figures["requests"]
        say(f"  {figures['requests'] / figures['seconds']:.0f} a second; about {max(0, wanted - have - figures['requests']) * figures['seconds'] / figures['requests']:.0f} s left")
    return made


def person(i):
    """The same person for the same number, with names that people could have."""
    given, family = NAMES
    return {"name": f"{given[i * 7 % len(given)]} {family[i * 13 % len(family)]}", "birthDate": f"19{i % 90 + 10}-0{i % 9 + 1}-1{i % 9}",
            "phone": f"+91{7000000000 + i}", "sex": "female" if i % 2 else "male"}


def invented(many, dice):
    return ["".join(dice.choice("bdgklmnrstv") + dice.choice("aeiou") for _ in range(dice.randint(2, 4))).title() for _ in range(many)]


_dice = random.Random(42)
NAMES = invented(2000, _dice), invented(20_000, _dice)


def slots(stage, wanted):
    # Those that are free and ahead: runs take them, and days go by.
    have = int(stage.psql("select count(*) from scheduling.slot where status = 'free' and starts_at > now() + interval '1 day'"))
    if have >= wanted:
        return 0
    say(f"opening {wanted - have} slots")
    # Of four practitioners at least: the earliest free slots would be all of one, and `reschedule` moves to another's.
    doctors = max(4, (wanted - have) // 30_000 + 1)
    days = min(360, (wanted - have) // (doctors * 95) + 1)
    admin, jobs = stage.door.as_("admin"), []
    for number in range(doctors):
        _, provider = new_doctor(admin, f"Dr. Bench {number}")
        for begin in range(1, days + 1, 90):
            first, last = (today() + datetime.timedelta(days=d) for d in (begin, min(begin + 89, days)))
            jobs.append(lambda p=provider, f=first, l=last: admin.post("/v1/slots/bulk", {
                "providerId": p["id"], "from": str(f), "to": str(l), "start": "00:00", "end": "23:45", "slotMinutes": 15}, timeout=120))
    parallel(jobs, 4)
    return len(jobs)
