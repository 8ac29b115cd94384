"""On the days on which clocks change nobody is booked in an hour that is not, and nobody's hour moves (R14).

Python's zoneinfo says which hours there are and when they are. The next change each way, of a zone in the north, one in the
south, and one whose clocks move by half an hour.
"""
import datetime
import zoneinfo

import pytest

from clinic import unique

UTC = datetime.timezone.utc
ZONES = ("America/New_York", "America/Santiago", "Australia/Lord_Howe")


def changes(zone):
    """The next days with an hour that is not, and with one that is there twice: {"forward": day, "back": day}."""
    found, then = {}, datetime.datetime.combine(datetime.date.today() + datetime.timedelta(days=2), datetime.time(), UTC)
    while len(found) < 2:
        before, then = then.astimezone(zone), then + datetime.timedelta(minutes=30)
        after = then.astimezone(zone)
        if after.utcoffset() > before.utcoffset():
            found.setdefault("forward", after.date())
        elif after.utcoffset() < before.utcoffset():
            found.setdefault("back", before.date())  # where that is at midnight, it is the day before that has it twice
    return found


def instant(day, minutes, zone):
    """When the clock shows this that day, the first time of two; None when it never does."""
    wall = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
    then = wall.replace(tzinfo=zone).astimezone(UTC)
    return then if then.astimezone(zone).replace(tzinfo=None) == wall else None


def read(text):
    return datetime.datetime.fromisoformat(text)


@pytest.fixture(params=ZONES)
def abroad(request, admin):
    """A site in that zone."""
    zone = zoneinfo.ZoneInfo(request.param)
    site = admin.post("/v1/locations", {"name": unique(request.param), "zone": request.param, "currency": "INR"})["id"]
    return zone, site


@pytest.mark.parametrize("way", ["forward", "back"])
def test_slots_open_at_the_hours_that_there_are_and_a_booking_keeps_its_hour(abroad, way, admin, own_doctor, make_patient):
    zone, site = abroad
    day, provider = changes(zone)[way], own_doctor[1]
    # The whole day by half hours, fewer where the clock skips some.
    opened = admin.post("/v1/slots/bulk", {"providerId": provider["id"], "locationId": site, "from": str(day), "to": str(day),
                                           "start": "00:00", "end": "23:59", "slotMinutes": 30}, key=unique())
    walls = {minutes: instant(day, minutes, zone) for minutes in range(0, 47 * 30, 30)}
    due = sorted((then, minutes) for minutes, then in walls.items() if then)
    skipped = len(walls) - len(due)
    assert skipped > 0 if way == "forward" else skipped == 0
    assert (opened["created"], opened["skipped"]) == (len(due), skipped)

    slots = admin.get(f"/v1/slots?providerId={provider['id']}&date={day}&limit=100")["items"]
    assert [read(s["start"]) for s in slots] == [then for then, _ in due]
    assert {s["date"] for s in slots} == {str(day)}
    assert all(read(s["end"]) <= read(next_["start"]) for s, next_ in zip(slots, slots[1:]))

    # Around the change itself, and late in the day, an appointment is at the hour on the wall that its slot was opened for.
    shifts = [n for n, ((before, _), (after, _)) in enumerate(zip(due, due[1:]), 1) if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()]
    for number in sorted({0, *(n - 1 for n in shifts), *shifts, len(slots) - 1}):
        slot, (then, minutes) = slots[number], due[number]
        booked = admin.post("/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]}, key=unique())
        kept = admin.get(f"/v1/appointments/{booked['id']}")
        here = read(kept["start"]).astimezone(zone)
        assert read(kept["start"]) == then and (here.hour * 60 + here.minute, str(here.date()), kept["date"]) == (minutes, str(day), str(day))
        listed = admin.get(f"/v1/appointments?providerId={provider['id']}&date={day}&limit=100")["items"]
        assert booked["id"] in [a["id"] for a in listed]
    # An hour that is there twice is opened once: the same roster again opens nothing.
    again = admin.post("/v1/slots/bulk", {"providerId": provider["id"], "locationId": site, "from": str(day), "to": str(day),
                                          "start": "00:00", "end": "23:59", "slotMinutes": 30}, key=unique())
    assert again["created"] == 0
