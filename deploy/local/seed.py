"""Seeds the demo clinic through the gateway, as a clinic would be set up by hand.

usage: seed.py GATEWAY_URL PASSWORD_FILE

Every identity is fictional. Each step carries an Idempotency-Key, so running it twice makes nothing twice.
"""
import datetime
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

BASE, PASSWORD = sys.argv[1], pathlib.Path(sys.argv[2]).read_text().strip()
TODAY = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=5, minutes=30)).date()


def call(method, path, token=None, body=None, key=None, accept=()):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = f"seed-{key}"
    data = json.dumps(body).encode() if body is not None else None
    for attempt in range(40):
        try:
            request = urllib.request.Request(BASE + path, data, headers, method=method)
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as refusal:
            problem = json.loads(refusal.read() or b"{}")
            if problem.get("code") in accept:
                return problem
            if refusal.code in (429, 503):
                time.sleep(0.25)
                continue
            sys.exit(f"seed: {method} {path} answered {refusal.code}: {json.dumps(problem)}")
    sys.exit(f"seed: {method} {path} stayed unavailable")


def account(name, person):
    """An account whose owner has signed in once and chosen a password, as everybody must."""
    opened = call("POST", "/v1/users", admin, {**person, "email": f"{name}@demo.example"}, key=f"user-{name}", accept=("email_taken",))
    if "temporaryPassword" in opened:  # a second run hears the first answer again, and finds the password chosen
        call("POST", "/v1/auth/login", body={
            "email": f"{name}@demo.example", "password": opened["temporaryPassword"], "newPassword": PASSWORD}, accept=("invalid_credentials",))


def login(name):
    return call("POST", "/v1/auth/login", body={"email": f"{name}@demo.example", "password": PASSWORD})["accessToken"]


def step(text):
    print(f"  {text}", file=sys.stderr, flush=True)


admin = login("admin")
step("accounts")
for name, full, roles in [
    ("doctor", "Dr. Asha Rao", ["doctor"]), ("doctor2", "Dr. Vikram Mehta", ["doctor"]),
    ("doctor3", "Dr. Leela Nair", ["doctor"]), ("nurse", "Nisha Thomas", ["nurse"]),
    ("reception", "Ravi Kulkarni", ["reception", "cashier"]), ("pharmacist", "Farah Khan", ["pharmacist"]),
    ("lab", "Lalit Bose", ["lab"]),
]:
    person = {"name": full, "roles": roles}
    if "doctor" in roles:
        person["licence"] = {"number": f"MCI-{full[-4:]}", "authority": "State Medical Council", "validUntil": "2199-12-31",
                             "seen": ["licence", "identity"]}
    account(name, person)
reception, pharmacist, doctor = login("reception"), login("pharmacist"), login("doctor")

step("patients")
PATIENTS = [
    ("Meera Iyer", "1988-04-12", "female", "+919820012345", ["Penicillin"], ["Hypertension"]),
    ("Arjun Deshpande", "1975-09-30", "male", "+919820023456", [], ["Type 2 diabetes"]),
    ("Fatima Sheikh", "1994-01-22", "female", "+919820034567", ["Ibuprofen"], []),
    ("Suresh Pillai", "1959-11-05", "male", "+919820045678", [], ["Asthma", "Hypertension"]),
    ("Kavya Reddy", "2016-06-18", "female", "+919820056789", [], []),
    ("Harpreet Singh", "1982-02-14", "male", "+919820067890", [], []),
]
patients = [
    call("POST", "/v1/patients", reception, {
        "name": name, "birthDate": born, "sex": sex, "phone": phone, "allergies": allergies, "conditions": conditions,
        "emergencyContact": {"name": "Next of kin", "phone": "+919820099999", "relation": "family"},
    }, key=f"patient-{phone}")
    for name, born, sex, phone, allergies, conditions in PATIENTS
]
account("patient", {"name": "Meera Iyer", "roles": ["patient"], "patientId": patients[0]["id"]})

step("medicines and stock")
MEDICINES = [
    ("Paracetamol 500 mg", "Paracetamol", "tablet", "500 mg", "N02BE01", 250, 12, 200, [("PCM-A1", 90, 600), ("PCM-B7", 400, 1200)]),
    ("Amoxicillin 500 mg", "Amoxicillin", "capsule", "500 mg", "J01CA04", 1180, 12, 100, [("AMX-77", 45, 120), ("AMX-91", 300, 400)]),
    ("Ibuprofen 400 mg", "Ibuprofen", "tablet", "400 mg", "M01AE01", 420, 12, 100, [("IBU-03", 200, 500)]),
    ("Metformin 500 mg", "Metformin", "tablet", "500 mg", "A10BA02", 310, 5, 150, [("MET-12", 250, 900)]),
    ("Amlodipine 5 mg", "Amlodipine", "tablet", "5 mg", "C08CA01", 560, 12, 100, [("AML-44", 28, 60), ("AML-58", 320, 20)]),
    ("Cough syrup", "Dextromethorphan", "syrup", "10 mg/5 ml", "R05DA09", 95, 12, 2000, [("COF-21", 150, 4000)]),  # by the ml
    ("Salbutamol inhaler", "Salbutamol", "inhaler", "100 mcg", "R03AC02", 18500, 12, 10, [("SAL-09", 220, 25)]),
]
for name, generic, form, strength, atc, price, tax, reorder, batches in MEDICINES:
    medicine = call("POST", "/v1/inventory/medicines", pharmacist, {
        "name": name, "genericName": generic, "form": form, "strength": strength, "atc": atc,
        "unitPrice": {"amount": price, "currency": "INR"}, "taxPercent": tax, "reorderLevel": reorder,
    }, key=f"medicine-{atc}", accept=("medicine_exists",))
    if "id" not in medicine:
        continue
    for lot, days, quantity in batches:
        call("POST", "/v1/inventory/batches", pharmacist, {
            "medicineId": medicine["id"], "lotNumber": lot, "expiryDate": str(TODAY + datetime.timedelta(days=days)),
            "quantity": quantity, "supplier": "Demo Distributors",
        }, key=f"batch-{lot}", accept=("batch_exists",))

step("a week of slots for three doctors")
providers = []
for _ in range(100):
    providers = call("GET", "/v1/providers?limit=100", admin)["items"]
    if len(providers) >= 3 and all(p["licensed"] for p in providers):
        break
    time.sleep(0.2)  # doctors become providers by event
else:
    sys.exit("seed: the doctors were not listed as providers within 20 s; is RabbitMQ running?")
for provider in providers:
    call("POST", "/v1/slots/bulk", admin, {
        "providerId": provider["id"], "from": str(TODAY), "to": str(TODAY + datetime.timedelta(days=6)),
        "start": "00:00", "end": "23:45", "slotMinutes": 15,
    }, key=f"slots-{provider['id']}-{TODAY}")

step("a morning's bookings and a queue")
mine = next(p for p in providers if p["name"] == "Dr. Vikram Mehta")
free = call("GET", f"/v1/slots?providerId={mine['id']}&date={TODAY}&status=free&limit=100", reception)["items"]
for index, patient in enumerate(patients[1:4]):
    if index < len(free):
        booked = call("POST", "/v1/appointments", reception, {
            "slotId": free[index]["id"], "patientId": patient["id"], "reason": "Follow-up", "modality": "in_person",
        }, key=f"appointment-{patient['id']}-{TODAY}", accept=("slot_taken", "patient_busy"))
        if index == 0 and "id" in booked:
            call("POST", "/v1/queue/check-in", reception, {"appointmentId": booked["id"]}, key=f"checkin-{booked['id']}",
                 accept=("already_checked_in",))
call("POST", "/v1/queue/walk-in", reception, {"patientId": patients[4]["id"], "providerId": mine["id"]},
     key=f"walkin-{patients[4]['id']}-{TODAY}", accept=("already_waiting",))
