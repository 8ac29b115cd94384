"""`clinical import` of real-shaped patients: found by misspelt names, with their histories, once (issue point 3)."""
import gzip
import json
import pathlib
import random
import shutil
from urllib.parse import quote

from clinic import ROOT

BUNDLES = sorted(pathlib.Path(ROOT, "..", "shared", "data", "synthea-r4").glob("*.json*"))


def bundle(path):
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def test_forty_patients_are_loaded_once_and_found_by_misspelt_names(env, stack, database, door, reception):
    assert len(BUNDLES) >= 40, "the data of ../shared is missing: clone with shared/ beside the repository"
    tenant = pathlib.Path(env["POLYCLINIC_PIDS"], "tenant").read_text()
    tenant_id = next(word for word in tenant.replace("=", " ").split() if word.count("-") == 4)
    location = [word for word in tenant.replace("=", " ").split() if word.count("-") == 4][1]
    # The services' user may not be able to enter this checkout.
    folder = pathlib.Path(env["POLYCLINIC_DATA"], "import")
    folder.mkdir(exist_ok=True)
    copies = [str(shutil.copyfile(path, folder / path.name)) for path in BUNDLES]
    load = ("run", "clinical", "import", "--tenant", tenant_id, "--location", location, *copies)
    stack(*load)
    count = "select (select count(*) from clinical.patient), (select count(*) from clinical.visit), (select count(*) from clinical.patient_key)"
    before = database.execute(count).fetchone()
    again = stack(*load)
    assert database.execute(count).fetchone() == before, again.stdout

    dice, found, doctor = random.Random(7), 0, door.as_("doctor")  # of the site that the histories came to
    for path in BUNDLES:
        entries = [e["resource"] for e in bundle(path)["entry"]]
        person = next(r for r in entries if r["resourceType"] == "Patient")
        name = person["name"][0]
        family = "".join(c for c in name["family"] if not c.isdigit())
        given = "".join(c for c in name["given"][0] if not c.isdigit())
        at = dice.randrange(1, len(family) - 1)
        misspelt = f"{given} {family[:at]}{family[at + 1:]}"
        items = reception.get("/v1/patients?limit=20&search=" + quote(misspelt))["items"]
        match = [p for p in items if family in p["name"] and p["birthDate"] == person["birthDate"]]
        assert match, (misspelt, [p["name"] for p in items])
        visits = doctor.get(f"/v1/patients/{match[0]['id']}/visits?limit=100")["items"]
        encounters = sum(r["resourceType"] == "Encounter" for r in entries)
        assert len(visits) == min(encounters, 100), (misspelt, len(visits), encounters)
        found += 1
    assert found == len(BUNDLES)
