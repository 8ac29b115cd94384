"""`make demo`: a patient from arrival to receipt, through the gateway, each step with what it cost.

Every figure is checked to the paisa and to the tablet; a wrong one ends the demo with exit code 1.
"""
import datetime
import sys

from clinic import Clinic, Site, Unexpected, new_doctor, today, unique

TTY = sys.stdout.isatty()
steps = []


def show(title, answer=None, detail=""):
    cost = f"{answer.seconds * 1000:6.1f} ms" if answer is not None else " " * 9
    steps.append(answer.seconds if answer is not None else 0)
    mark = "\033[32m✓\033[0m" if TTY else "ok"
    print(f"  {mark} {cost}  {title:<52} {detail}", flush=True)


def check(what, found, expected):
    if found != expected:
        raise Unexpected(f"{what}: found {found!r}, expected {expected!r}")


def rupees(minor):
    return f"₹{minor / 100:,.2f}"


def walk():
    door = Clinic()
    print(f"Polyclinic at {door.url}\n")
    site = Site(door)
    admin, reception, pharmacist = site.admin, site.reception, site.pharmacist
    day = today()
    summary_before = admin.get(f"/v1/reports/daily-summary?date={day}").json

    # -- registration
    tag = unique("")[-6:]
    family = "Ramanathan" + "".join(chr(ord("a") + int(c, 16)) for c in tag)
    phone = f"+9198{int(tag, 16) % 10**8:08d}"
    lakshmi = reception.post("/v1/patients", {
        "name": f"Lakshmi {family}", "birthDate": "1990-05-17", "sex": "female", "phone": phone,
        "allergies": ["Aspirin"], "conditions": ["Hypertension"],
        "emergencyContact": {"name": "Anand", "phone": "+919800000001", "relation": "husband"},
    }, key=unique("patient"))
    show("register a patient", lakshmi, lakshmi["mrn"])
    misspelt = f"Laxmi {family[:-2]}{family[-1]}"
    found = reception.get(f"/v1/patients?search={misspelt.replace(' ', '%20')}")
    check("search by misspelt name", lakshmi["id"] in [p["id"] for p in found["items"]], True)
    show(f"find her as “{misspelt}”", found, f"{len(found['items'])} found")
    found = reception.get(f"/v1/patients?search={phone[3:]}")
    check("search by phone", [p["id"] for p in found["items"]], [lakshmi["id"]])
    show("find her by phone", found)

    # -- a doctor with bookable time
    doctor, provider = new_doctor(admin, "Dr. Asha Rao")
    answer = doctor.call("PUT", f"/v1/providers/{provider['id']}/presence", {"status": "online"}, expect=200)
    show("the doctor is online", answer)
    bulk = doctor.post("/v1/slots/bulk", {
        "providerId": provider["id"], "from": str(day), "to": str(day + datetime.timedelta(days=4)),
        "start": "00:00", "end": "23:45", "slotMinutes": 15, "weekdays": [1, 2, 3, 4, 5, 6, 7],
    }, key=unique("bulk"))
    show("open five days of 15-minute slots", bulk, f"{bulk['created']} created, {bulk['skipped']} skipped")
    slots = reception.get(f"/v1/slots?providerId={provider['id']}&date={day}&status=free")
    if not slots["items"]:
        raise Unexpected("no slot is free today")
    show("list today's free slots", slots, f"{len(slots['items'])} on the first page")

    # -- booking and arrival
    booked = reception.post("/v1/appointments", {
        "slotId": slots["items"][0]["id"], "patientId": lakshmi["id"], "reason": "Fever", "modality": "in_person",
    }, key=unique("book"))
    check("booking", booked["status"], "booked")
    show("book", booked, booked["start"])
    taken = reception.post("/v1/appointments", {"slotId": slots["items"][0]["id"], "patientId": lakshmi["id"]}, expect=409)
    check("double booking", taken.code in ("slot_taken", "patient_busy"), True)
    show("the same slot again is refused", taken, taken.code)
    gopal = reception.post("/v1/patients", {
        "name": f"Gopal Walkin {family}", "birthDate": "1971-01-02", "sex": "male", "phone": phone[:-1] + str((int(phone[-1]) + 5) % 10),
    }, key=unique("patient"))
    walk_in = reception.post("/v1/queue/walk-in", {"patientId": gopal["id"], "providerId": provider["id"]}, key=unique("walkin"))
    show("a second patient walks in", walk_in, f"token {walk_in['number']}")
    arrived = reception.post("/v1/queue/check-in", {"appointmentId": booked["id"]}, key=unique("checkin"))
    check("check-in", arrived["status"], "WAITING")
    show("check in", arrived, f"token {arrived['number']}, position {arrived['position']}")
    called = doctor.post("/v1/queue/next", {}, expect=200)
    check("the appointment goes before the walk-in", called["id"], arrived["id"])
    check("called", called["status"], "WITH_DOCTOR")
    show("call next: the appointment before the walk-in", called, called["number"])

    # -- consultation
    antibiotic, syrup = medicines(pharmacist, day)
    visit = doctor.post("/v1/visits", {"patientId": lakshmi["id"], "tokenId": called["id"]}, key=unique("visit"))
    check("visit", visit["status"], "in_progress")
    show("start the visit", visit)
    vitals = doctor.patch(f"/v1/visits/{visit['id']}", {
        "vitals": {"systolic": 128, "diastolic": 84, "temperatureC": 38.4, "pulse": 92, "respiratoryRate": 18,
                   "spo2": 97, "weightKg": 61.5, "heightCm": 162},
        "chiefComplaint": "Fever and sore throat", "symptomDays": 3,
    })
    show("vitals and complaint", vitals, "128/84, 38.4 °C")
    for category, text in [
        ("SYMPTOM", "Sore throat, worse at night"), ("OBSERVATION", "Tonsils enlarged, no exudate"),
        ("DIAGNOSIS", "Acute tonsillitis"), ("TREATMENT", "Antibiotic for 7 days, fluids, rest"),
    ]:
        note = doctor.post(f"/v1/visits/{visit['id']}/notes", {"category": category, "text": text}, key=unique("note"))
    show("notes of all four categories", note)
    plan = doctor.patch(f"/v1/visits/{visit['id']}", {
        "diagnoses": [{"code": "J03.9", "system": "ICD-10", "text": "Acute tonsillitis, unspecified"}],
        "treatmentPlan": "Review in 7 days",
    })
    show("diagnosis and plan", plan, "J03.9")
    prescription = doctor.post("/v1/prescriptions", {"visitId": visit["id"], "items": [
        {"medicineId": antibiotic["id"], "dose": 1, "doseUnit": "capsule", "frequencyPerDay": 3, "durationDays": 7, "instructions": "After food"},
        {"medicineId": syrup["id"], "dose": 2, "doseUnit": "tablet", "frequencyPerDay": 2, "durationDays": 5},
    ]}, key=unique("prescription"))
    check("computed quantities", [i["quantity"] for i in prescription["items"]], [21, 20])
    show("prescribe", prescription, f"21 capsules and 20 tablets, valid until {prescription['validUntil']}")
    pdf = doctor.get(f"/v1/prescriptions/{prescription['id']}/print")
    check("the prescription prints", pdf.bytes[:5], b"%PDF-")
    show("print the prescription", pdf, f"{len(pdf.bytes) // 1024} KB PDF")
    done = doctor.post(f"/v1/visits/{visit['id']}/complete", {}, expect=200)
    check("visit", done["status"], "completed")
    show("complete the visit", done)
    late = doctor.call("PATCH", f"/v1/visits/{visit['id']}", {"treatmentPlan": "x"}, headers={"If-Match": done.headers["etag"]}, expect=409)
    check("a signed visit", late.code, "visit_signed")

    # -- the bill: 21 × 11.80 and 20 × 2.50, 10 % off, tax per line after the discount
    invoice = reception.post("/v1/invoices", {"visitId": visit["id"], "mode": "AUTO", "discount": {"percent": 10}}, key=unique("invoice"))
    figures = {name: invoice[name]["amount"] for name in ("subtotal", "discount", "tax", "total")}
    check("the invoice", figures, {"subtotal": 29780, "discount": 2978, "tax": 2901, "total": 29703})
    show("AUTO invoice", invoice, f"{invoice['number']}  {rupees(29780)} − {rupees(2978)} + {rupees(2901)} = {rupees(29703)}")
    unpaid = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]}, expect=422)
    check("dispensing before payment", unpaid.code, "invoice_unpaid")
    show("dispensing before payment is refused", unpaid, unpaid.code)
    paid = reception.post(f"/v1/invoices/{invoice['id']}/pay", {"method": "CASH"}, key=unique("pay"))
    settled = reception.get(f"/v1/invoices/{invoice['id']}")
    check("invoice after payment", settled["status"], "PAID")
    show("pay in cash", paid, rupees(29703))

    # -- a second bill, by card and UPI in two parts
    reception_next = doctor.call("POST", "/v1/queue/next", {}, expect=(200, 409))
    if reception_next.status == 409:  # the first token completes by event
        doctor.eventually(f"/v1/queue/today?providerId={provider['id']}", lambda a: not a["withDoctor"])
        reception_next = doctor.post("/v1/queue/next", {}, expect=200)
    check("the walk-in is next", reception_next["id"], walk_in["id"])
    second_visit = doctor.post("/v1/visits", {"patientId": gopal["id"], "tokenId": walk_in["id"]}, key=unique("visit"))
    doctor.post(f"/v1/visits/{second_visit['id']}/complete", {}, expect=200)
    second = reception.post("/v1/invoices", {"visitId": second_visit["id"], "mode": "MANUAL", "lines": [
        {"description": "Consultation", "quantity": 1, "unitPrice": {"amount": 50000, "currency": "INR"}, "taxPercent": 18},
    ]}, key=unique("invoice"))
    check("the second invoice", second["total"]["amount"], 59000)
    reception.post(f"/v1/invoices/{second['id']}/pay", {"method": "CARD", "amount": {"amount": 40000, "currency": "INR"}}, key=unique("pay"))
    over = reception.post(f"/v1/invoices/{second['id']}/pay", {"method": "UPI", "amount": {"amount": 19001, "currency": "INR"}}, expect=422)
    last = reception.post(f"/v1/invoices/{second['id']}/pay", {"method": "UPI", "amount": {"amount": 19000, "currency": "INR"}}, key=unique("pay"))
    check("second invoice", reception.get(f"/v1/invoices/{second['id']}")["status"], "PAID")
    show("a second bill by card and UPI", last, f"{rupees(40000)} + {rupees(19000)}; one paisa more: {over.code}")

    # -- the pharmacy counter
    dispensed = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]}, key=unique("dispense"))
    lines = [(l["lotNumber"], l["quantity"]) for l in dispensed["lines"] if l["medicineId"] == antibiotic["id"]]
    check("earliest expiry first", lines, [(antibiotic["lots"][0], 15), (antibiotic["lots"][1], 6)])
    show("dispense over two batches, earliest expiry first", dispensed, " + ".join(f"{q} of {lot}" for lot, q in lines))
    again = pharmacist.post("/v1/dispensing", {"prescriptionId": prescription["id"]}, expect=409)
    show("no medicine leaves twice", again, again.code)
    board = doctor.eventually(f"/v1/queue/today?providerId={provider['id']}",
                              lambda a: {t["id"] for t in a["completed"]} >= {arrived["id"], walk_in["id"]})
    show("both tokens completed", board)
    low = pharmacist.get("/v1/inventory/low-stock?limit=100")
    check("low stock", antibiotic["id"] in [m.get("medicineId", m.get("id")) for m in low["items"]], True)
    show("low-stock list", low, f"{len(low['items'])} medicines, ours with 24 left")
    alert = pharmacist.eventually("/v1/notifications?limit=100", lambda a: any(
        n["kind"] == "stock_ran_low" and n["subjectId"] == antibiotic["id"] for n in a["items"]))
    show("low-stock alert reached the pharmacist", alert)

    # -- what the auditor reads
    trail = admin.eventually(f"/v1/reports/audit-logs?resourceId={dispensed['id']}", lambda a: len(a["items"]) >= 1)
    show("audit trail", trail, f"{trail['items'][0]['role']} {trail['items'][0]['action']}")

    def moved(answer):
        now, was = answer.json, summary_before
        return (now["patients"] - was["patients"] == 2 and now["visits"] - was["visits"] == 2
                and now["revenue"]["amount"] - was["revenue"]["amount"] == 29703 + 59000
                and now["itemsDispensed"] - was["itemsDispensed"] == 41)

    summary = admin.eventually(f"/v1/reports/daily-summary?date={day}", moved)
    show("daily summary", summary, f"+2 patients, +2 visits, +{rupees(88703)}, +41 items")


def medicines(pharmacist, day):
    """Two medicines of this run's own, so that every figure is known."""
    made = []
    for name, form, price, tax, reorder, batches in [
        ("Amoxicillin demo", "capsule", 1180, 12, 30, [(20, 15), (200, 30)]), ("Cetirizine demo", "tablet", 250, 5, 5, [(300, 100)]),
    ]:
        medicine = pharmacist.post("/v1/inventory/medicines", {
            "name": f"{name} {unique()[-6:]}", "form": form, "unitPrice": {"amount": price, "currency": "INR"},
            "taxPercent": tax, "reorderLevel": reorder,
        }, key=unique("medicine")).json
        medicine["lots"] = []
        for days, quantity in reversed(batches):  # the later expiry is received first, so FIFO would show
            lot = unique("LOT")
            pharmacist.post("/v1/inventory/batches", {
                "medicineId": medicine["id"], "lotNumber": lot, "quantity": quantity,
                "expiryDate": str(day + datetime.timedelta(days=days)),
            }, key=unique("batch"))
            medicine["lots"].insert(0, lot)
        made.append(medicine)
    return made


try:
    walk()
    print(f"\nEverything adds up: {len(steps)} steps, {sum(steps) * 1000:.0f} ms in requests.")
except Unexpected as problem:
    print(f"\n✗ {problem}", file=sys.stderr)
    sys.exit(1)
except OSError as problem:
    print(f"\n✗ the stack does not answer ({problem}); run `make up` first", file=sys.stderr)
    sys.exit(1)
