"""Doctors who want to be asked before anybody is booked with them."""
import pytest

from clinic import Clinic, new_doctor, unique


@pytest.fixture()
def asked(admin, make_patient, make_slots, patient_of):
    """A doctor who wants to be asked, their slots, and a patient with an account."""
    doctor, provider = new_doctor(admin, "Dr. Ask Me")
    doctor.patch(f"/v1/providers/{provider['id']}", {"bookingMode": "request", "requestHours": 2})
    patient = make_patient("Would Like To Come")
    return doctor, provider, make_slots(provider), patient["id"], patient_of(patient["id"])


@pytest.fixture()
def patient_of(admin, door):
    def make(patient):
        email = f"{unique('asks')}@demo.example"
        admin.open_account({"name": "Asks", "email": email, "roles": ["patient"], "patientId": patient})
        return Clinic(door.url).as_(email)
    return make


def kinds(answer, subject):
    return {notice["kind"] for notice in answer["items"] if notice["subjectId"] == subject}


def test_a_request_is_booked_when_the_doctor_accepts_and_not_before(asked, reception, admin, database):
    doctor, provider, slots, patient, client = asked
    made = client.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": patient})
    assert made["status"] == "requested"
    doctor.eventually("/v1/notifications", lambda a: "appointment_requested" in kinds(a, made["id"]))
    assert database.execute("select count(*) from notifications.reminder where appointment_id = %s", [made["id"]]).fetchone() == (0,)
    assert reception.call("POST", "/v1/queue/check-in", {"appointmentId": made["id"]}).code in ("not_today", "appointment_requested")
    other, _ = new_doctor(admin, "Dr. Other")
    assert other.call("POST", f"/v1/appointments/{made['id']}/decision", {"accepted": True}).status == 403
    doctor.post(f"/v1/appointments/{made['id']}/decision", {"accepted": True}, expect=200)
    client.eventually("/v1/notifications", lambda a: "appointment_booked" in kinds(a, made["id"]))
    doctor.eventually(f"/v1/patients/{patient}", lambda a: True)  # Who is booked is theirs to read up on.


def test_a_request_that_is_declined_or_not_answered_gives_the_time_back(asked, reception, make_patient, database):
    doctor, provider, slots, patient, client = asked
    declined, forgotten = (client.post("/v1/appointments", {"slotId": s["id"], "patientId": patient})["id"] for s in slots[:2])
    for slot in slots[:2]:  # held as a booking holds it
        taken = reception.call("POST", "/v1/appointments", {"slotId": slot["id"], "patientId": make_patient()["id"]})
        assert (taken.status, taken.code) == (409, "slot_taken")
    doctor.post(f"/v1/appointments/{declined}/decision", {"accepted": False, "reason": "On leave"}, expect=200)
    assert client.get(f"/v1/appointments/{declined}")["cancelReason"] == "On leave"
    database.execute("update scheduling.appointment set answer_by = now() where id = %s", [forgotten])
    client.eventually(f"/v1/appointments/{forgotten}", lambda a: a["status"] == "expired", seconds=60)
    for slot in slots[:2]:
        assert reception.get(f"/v1/slots/{slot['id']}")["status"] == "free"
    client.eventually("/v1/notifications", lambda a: kinds(a, declined) == {"appointment_declined"} and kinds(a, forgotten) == {"appointment_expired"})


def test_a_doctor_cancels_own_appointments_only_and_says_why(asked, admin, reception, make_patient):
    doctor, provider, slots, patient, client = asked
    booked = reception.post("/v1/appointments", {"slotId": slots[0]["id"], "patientId": make_patient()["id"]})["id"]
    other, _ = new_doctor(admin, "Dr. Not Mine")
    assert other.call("DELETE", f"/v1/appointments/{booked}", {"reason": "Mine"}).status == 403
    assert doctor.call("DELETE", f"/v1/appointments/{booked}", {}).status == 400
    assert doctor.call("DELETE", f"/v1/appointments/{booked}", {"reason": "Called to theatre"}, expect=200)["status"] == "cancelled"
