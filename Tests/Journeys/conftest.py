"""Fixtures of the journey tests: the running stack, its people, and freshly made patients, doctors and medicines.

Every test makes what it touches, so tests do not see each other.
"""
import concurrent.futures
import datetime
import os
import subprocess
import sys
import threading

import psycopg
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from clinic import Clinic, Site, new_doctor, stack_environment, today, unique  # noqa: E402


@pytest.fixture(scope="session")
def env():
    return stack_environment()


@pytest.fixture(scope="session")
def door(env):
    return Clinic(env["POLYCLINIC_URL"])


def person(name):
    @pytest.fixture(scope="session", name=name)
    def made(door):
        return door.as_(name)
    return made


lab, doctor2 = person("lab"), person("doctor2")


@pytest.fixture(scope="session")
def patient_account(door):
    return door.as_("patient")


@pytest.fixture(scope="session")
def site(door):
    return Site(door)


@pytest.fixture(scope="session")
def admin(site):
    return site.admin


@pytest.fixture(scope="session")
def reception(site):
    return site.reception


@pytest.fixture(scope="session")
def nurse(site):
    return site.nurse


@pytest.fixture(scope="session")
def pharmacist(site):
    return site.pharmacist


@pytest.fixture(scope="session")
def doctor(door, admin):
    """A doctor with an empty queue: client and provider."""
    return new_doctor(admin, "Dr. Test")


@pytest.fixture()
def own_doctor(admin):
    return new_doctor(admin, "Dr. Own")


@pytest.fixture()
def make_patient(reception):
    def make(name="Test Patient", **more):
        body = {"name": name, "birthDate": "1980-02-29", "phone": f"+9199{unique()[-8:]}".translate(str.maketrans("abcdef", "123456")), **more}
        return reception.post("/v1/patients", body, key=unique()).json
    return make


@pytest.fixture()
def make_slots(admin):
    def make(provider, days=2, minutes=15, first=1):
        day = today() + datetime.timedelta(days=first)
        admin.post("/v1/slots/bulk", {
            "providerId": provider["id"], "from": str(day), "to": str(day + datetime.timedelta(days=days - 1)),
            "start": "09:00", "end": "17:00", "slotMinutes": minutes}, key=unique())
        return admin.get(f"/v1/slots?providerId={provider['id']}&date={day}&status=free&limit=100")["items"]
    return make


@pytest.fixture()
def make_medicine(pharmacist):
    def make(price=1000, tax=12, batches=((100, 50),), form="tablet", reorder=0, **more):
        medicine = pharmacist.post("/v1/inventory/medicines", {
            "name": unique("Testamol"), "form": form, "unitPrice": {"amount": price, "currency": "INR"},
            "taxPercent": tax, "reorderLevel": reorder, **more}, key=unique()).json
        medicine["batches"] = [
            pharmacist.post("/v1/inventory/batches", {
                "medicineId": medicine["id"], "lotNumber": unique("LOT"), "quantity": quantity,
                "expiryDate": str(today() + datetime.timedelta(days=days))}, key=unique()).json
            for days, quantity in batches]
        return medicine
    return make


@pytest.fixture()
def make_prescription(make_patient):
    """A visit with one prescribed medicine: (visit, prescription)."""
    def make(doctor, medicine, dose=1, per_day=2, days=5, patient=None):
        client, _ = doctor
        patient = patient or make_patient()
        visit = client.post("/v1/visits", {"patientId": patient["id"]}, key=unique()).json
        prescription = client.post("/v1/prescriptions", {"visitId": visit["id"], "items": [
            {"medicineId": medicine["id"], "dose": dose, "frequencyPerDay": per_day, "durationDays": days}]}, key=unique()).json
        client.post(f"/v1/visits/{visit['id']}/complete", expect=200)
        return visit, prescription
    return make


@pytest.fixture()
def database(env):
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def stack(env):
    def run(*arguments, check=True):
        return subprocess.run([env["POLYCLINIC_STACK"], *arguments], check=check, capture_output=True, text=True)
    return run


@pytest.fixture(scope="session")
def at_once():
    """Runs the calls at the same instant, each on a thread and connection of its own, and returns their answers."""
    def run(calls):
        barrier = threading.Barrier(len(calls))

        def one(call):
            barrier.wait(timeout=60)
            return call()
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
            return [f.result(timeout=120) for f in [threads.submit(one, call) for call in calls]]
    return run
