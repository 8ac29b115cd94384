"""What patients say of appointments that are over."""
from clinic import Clinic, new_doctor, today, unique


def test_a_patient_rates_an_own_appointment_that_is_over_once(admin, reception, door, make_patient):
    (doctor, provider), (other, _) = new_doctor(admin, "Dr. Rated"), new_doctor(admin, "Dr. Curious")
    day = str(today())
    admin.post("/v1/slots/bulk", {"providerId": provider["id"], "from": day, "to": day, "start": "00:00", "end": "23:45", "slotMinutes": 15}, key=unique())
    slots = reception.get(f"/v1/slots?providerId={provider['id']}&date={day}&status=free")["items"]
    patient = make_patient("Says How It Was")["id"]
    email = f"{unique('rates')}@demo.example"
    admin.open_account({"name": "Rates", "email": email, "roles": ["patient"], "patientId": patient})
    client = Clinic(door.url).as_(email)
    booked = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": patient})["id"]
    path = f"/v1/appointments/{booked}/rating"
    assert client.call("POST", path, {"score": 5}).code == "not_fulfilled"
    token = reception.post("/v1/queue/check-in", {"appointmentId": booked})["id"]
    visit = doctor.post("/v1/visits", {"patientId": patient, "tokenId": token})["id"]
    doctor.post(f"/v1/visits/{visit}/complete", expect=200)
    reception.eventually(f"/v1/appointments/{booked}", lambda a: a["status"] == "fulfilled")
    client.post(path, {"score": 2, "comment": "Waited an hour"})
    assert client.call("POST", path, {"score": 5}).code == "already_rated"
    ratings = f"/v1/providers/{provider['id']}/ratings"
    for reader in (doctor, admin):
        said = reader.get(ratings)
        assert [(r["score"], r["comment"]) for r in said["items"]] == [(2, "Waited an hour")] and patient not in str(said.json)
    other.get(ratings, expect=403)
    assert "rating" not in client.get(f"/v1/providers/{provider['id']}").json  # one voice is no mean
