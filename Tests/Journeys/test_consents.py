"""A consent that is recorded holds something back, until it is given and again from the moment it is taken back (S17, decision 43)."""
import base64
import json
import urllib.parse
import urllib.request

import pytest

from clinic import Clinic, unique


def agree(reception, patient, purpose):
    return reception.post(f"/v1/patients/{patient}/consents", {"purpose": purpose, "document": "leaflet", "documentVersion": "1"})["id"]


def application(door, admin, **more):
    """With credentials of its own."""
    client = admin.post("/v1/auth/clients", {
        "name": unique("Other hospital"), "grantTypes": ["client_credentials"], "roles": ["reception"], "scopes": ["clinical.read"],
        "redirectUris": [], **more}, key=unique()).json
    secret = base64.b64encode(f"{client['clientId']}:{client['clientSecret']}".encode()).decode()
    asked = urllib.request.Request(f"http://{door.host}:{door.port}/oauth2/token", headers={"Authorization": f"Basic {secret}"},
                                   data=urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "clinical.read"}).encode())
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return Clinic(door.url, json.load(answer)["access_token"])


@pytest.fixture()
def machine(door, admin):
    """Another organisation's."""
    return application(door, admin, consentRequired=True)


def test_the_clinic_s_own_application_sees_what_its_users_see(door, admin, make_patient):
    patient = make_patient()["id"]
    assert application(door, admin, consentRequired=False).call("GET", f"/v1/patients/{patient}").status == 200


def test_another_s_application_sees_a_record_only_while_its_person_agrees_to_sharing(machine, reception, make_patient):
    patient = make_patient()["id"]
    path = f"/v1/patients/{patient}"
    found = lambda: [p["id"] for p in machine.get("/v1/patients?limit=100")["items"]]  # noqa: E731
    assert machine.call("GET", path).status in (403, 404) and patient not in found()
    consent = agree(reception, patient, "sharing")
    assert machine.call("GET", path).status == 200 and patient in found()
    reception.call("DELETE", f"{path}/consents/{consent}", expect=204)
    assert machine.call("GET", path).status in (403, 404) and patient not in found()
    assert reception.call("GET", path).status == 200


def test_a_video_appointment_needs_the_patient_s_consent_as_it_stands(reception, make_patient, make_slots, own_doctor):
    patient = make_patient()["id"]
    client, provider = own_doctor
    slots = [s["id"] for s in make_slots(provider)[:3]]
    book = lambda slot: reception.call("POST", "/v1/appointments", {  # noqa: E731
        "slotId": slot, "patientId": patient, "modality": "telemedicine"}, headers={"Idempotency-Key": unique()})
    refused = book(slots[0])
    assert refused.status == 422 and refused.json["code"] == "consent_missing"
    consent = agree(reception, patient, "teleconsultation")
    booked = book(slots[0])
    assert booked.status == 201
    reception.call("DELETE", f"/v1/patients/{patient}/consents/{consent}", expect=204)
    assert book(slots[1]).status == 422
    # What was booked is not begun by video either.
    begun = client.call("POST", "/v1/visits", {"patientId": patient, "appointmentId": booked["id"]})
    assert begun.status == 422 and begun.json["code"] == "consent_missing"


@pytest.mark.parametrize("purpose", ["marketing", "research", "treatment", "billing", "selling"])
def test_a_purpose_that_binds_nobody_is_not_recorded(reception, make_patient, purpose):
    patient = make_patient()["id"]
    answer = reception.call("POST", f"/v1/patients/{patient}/consents", {"purpose": purpose, "document": "x", "documentVersion": "1"})
    assert answer.status == 400
