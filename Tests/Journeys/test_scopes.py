"""Roles that meet in one account, doors that close, and work that nobody checks alone (S1)."""
import pytest

from clinic import SEEN_LICENCE, Clinic, new_doctor, unique


@pytest.fixture()
def hire(admin, door):
    def make(roles, **more):
        email = f"{unique('both')}@demo.example"
        admin.open_account({"name": "Dr. Both", "email": email, "roles": roles, **more})
        return Clinic(door.url).as_(email)
    return make


def test_whoever_works_here_and_is_a_patient_reads_no_other_chart(hire, doctor, make_patient):
    client, _ = doctor
    own, other = make_patient("Own Record"), make_patient("Somebody Else")
    visit = client.post("/v1/visits", {"patientId": other["id"]})["id"]
    for role in ("reception", "lab", "cashier", "pharmacist"):
        both = hire([role, "patient"], patientId=own["id"])
        both.get(f"/v1/visits/{visit}", expect=404)
        both.get(f"/v1/patients/{other['id']}/export", expect=404)
        both.get(f"/v1/patients/{other['id']}/access-log", expect=404)
        assert "conditions" not in both.get(f"/v1/patients/{other['id']}").json
        both.get(f"/v1/patients/{own['id']}/visits")
        both.get(f"/v1/patients/{own['id']}/export")


def test_money_medicines_and_samples_need_no_address(hire, reception, make_patient):
    friend = {"name": "A Friend", "phone": "+919876543211"}
    patient = make_patient("Lives Somewhere", email="lives@somewhere.example", address="1 Some Road", emergencyContact=friend)["id"]
    assert reception.get(f"/v1/patients/{patient}")["emergencyContact"] == friend
    for role in ("cashier", "pharmacist", "lab", "auditor"):
        told = hire([role]).get(f"/v1/patients/{patient}").json
        assert told["name"] == "Lives Somewhere" and told["phone"], role
        assert not {"address", "email", "emergencyContact"} & set(told), role
    both = hire(["lab", "nurse"])
    assert both.get(f"/v1/patients/{patient}")["address"] == "1 Some Road"


def test_coming_does_not_open_a_restricted_chart_and_a_place_given_up_opens_none(admin, reception, make_patient):
    (mine, provider), (other, _) = new_doctor(admin, "Dr. Here"), new_doctor(admin, "Dr. Next Door")
    patient = make_patient("Locked Away")["id"]
    Clinic(admin.url).as_("admin").call("PUT", f"/v1/patients/{patient}/restriction", {"restricted": True}, expect=204)
    token = reception.post("/v1/queue/walk-in", {"patientId": patient, "providerId": provider["id"]})["id"]
    mine.eventually(f"/v1/patients/{patient}", lambda a: True)  # that they came has arrived
    refused = other.call("POST", "/v1/visits", {"patientId": patient, "tokenId": token})
    assert (refused.status, refused.code) == (403, "chart_restricted")
    other.get(f"/v1/patients/{patient}", expect=403)
    assert mine.post("/v1/visits", {"patientId": patient, "tokenId": token})["id"]


def test_an_appointment_that_is_cancelled_or_moved_closes_the_chart_again(admin, reception, make_patient, make_slots):
    (first, of_first), (second, of_second) = new_doctor(admin, "Dr. First"), new_doctor(admin, "Dr. Second")
    patient = make_patient("Comes Later")["id"]
    Clinic(admin.url).as_("admin").call("PUT", f"/v1/patients/{patient}/restriction", {"restricted": True}, expect=204)
    slot, elsewhere = make_slots(of_first)[0]["id"], make_slots(of_second)[0]["id"]
    booked = reception.post("/v1/appointments", {"slotId": slot, "patientId": patient})["id"]
    first.eventually(f"/v1/patients/{patient}", lambda a: True)
    second.get(f"/v1/patients/{patient}", expect=403)
    reception.patch(f"/v1/appointments/{booked}", {"slotId": elsewhere})
    second.eventually(f"/v1/patients/{patient}", lambda a: True)
    first.get(f"/v1/patients/{patient}", expect=403)
    reception.call("DELETE", f"/v1/appointments/{booked}", {"reason": "Feels better"}, expect=200)
    second.eventually(f"/v1/patients/{patient}", lambda a: a.code == "chart_restricted", expect=403)


def test_clinicians_see_the_appointments_of_their_site_and_their_patients(hire, admin, reception, make_patient, make_slots):
    (mine, provider), (colleague, _) = new_doctor(admin, "Dr. Mine"), new_doctor(admin, "Dr. Same Site")
    patient = make_patient("Booked")["id"]
    booked = reception.post("/v1/appointments", {"slotId": make_slots(provider)[0]["id"], "patientId": patient})["id"]
    path = f"/v1/appointments/{booked}"
    mine.get(path), colleague.get(path), hire(["nurse"]).get(path)
    far = admin.post("/v1/locations", {"name": unique("Far"), "zone": "Etc/GMT", "currency": "INR"})["id"]
    for stranger in (hire(["nurse"], locationId=far), hire(["doctor"], locationId=far, licence=SEEN_LICENCE)):
        stranger.get(path, expect=404)
        assert stranger.get(f"/v1/appointments?patientId={patient}")["items"] == []
    hire(["reception"], locationId=far).get(path)


def test_why_somebody_whose_chart_is_restricted_comes_is_not_told_to_the_site(hire, admin, reception, make_patient, make_slots):
    mine, provider = new_doctor(admin, "Dr. Discreet")
    patient = make_patient("Discreet")["id"]
    slot = make_slots(provider)[0]["id"]
    booked = reception.post("/v1/appointments", {"slotId": slot, "patientId": patient, "reason": "A lump"})["id"]
    nurse = hire(["nurse"])
    assert nurse.get(f"/v1/appointments/{booked}")["reason"] == "A lump"
    Clinic(admin.url).as_("admin").call("PUT", f"/v1/patients/{patient}/restriction", {"restricted": True}, expect=204)
    nurse.eventually(f"/v1/appointments/{booked}", lambda a: "reason" not in a.json)
    assert mine.get(f"/v1/appointments/{booked}")["reason"] == reception.get(f"/v1/appointments/{booked}")["reason"] == "A lump"


def test_nobody_hands_out_what_they_prescribed(hire, reception, pharmacist, make_patient, make_medicine):
    both = hire(["doctor", "pharmacist"], licence=SEEN_LICENCE)
    medicine = make_medicine()
    visit = both.post("/v1/visits", {"patientId": make_patient()["id"]})["id"]
    prescription = both.post("/v1/prescriptions", {"visitId": visit, "items": [
        {"medicineId": medicine["id"], "dose": 1, "frequencyPerDay": 1, "durationDays": 5}]})["id"]
    both.post(f"/v1/visits/{visit}/complete", expect=200)
    invoice = reception.post("/v1/invoices", {"visitId": visit, "mode": "AUTO"})["id"]
    reception.post(f"/v1/invoices/{invoice}/pay", {"method": "CASH"})
    own = both.call("POST", "/v1/dispensing", {"prescriptionId": prescription})
    assert (own.status, own.code) == (403, "own_prescription")
    pharmacist.post("/v1/dispensing", {"prescriptionId": prescription})


def test_the_desk_replaces_no_allergy_and_those_who_treat_add_and_retire(reception, admin, nurse, doctor, make_patient):
    client, _ = doctor
    path = f"/v1/patients/{make_patient(allergies=['Penicillin'])['id']}"
    for desk in (reception, admin):
        refused = desk.call("PATCH", path, {"allergies": []}, headers={"If-Match": '"1"'})
        assert (refused.status, refused.code) == (422, "health_recorded_elsewhere"), refused
        assert desk.call("PATCH", f"{path}/health", {"allergies": {"retire": ["Penicillin"]}}, headers={"If-Match": '"1"'}).status == 403
    added = nurse.call("PATCH", f"{path}/health", {"allergies": {"add": ["Latex"]}, "conditions": {"add": ["Asthma"]}}, headers={"If-Match": '"1"'}, expect=200)
    assert added["allergies"] == [{"text": "Penicillin"}, {"text": "Latex"}] and added["conditions"] == [{"text": "Asthma"}]
    stale = client.call("PATCH", f"{path}/health", {"allergies": {"retire": ["Penicillin"]}}, headers={"If-Match": '"1"'})
    assert stale.status == 412, stale
    retired = client.call("PATCH", f"{path}/health", {"allergies": {"retire": [{"text": "Penicillin"}]}}, headers={"If-Match": '"2"'}, expect=200)
    assert retired["allergies"] == [{"text": "Latex"}]
