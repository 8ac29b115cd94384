"""What is sealed opens only where it was sealed: not in another row, not in another column (S16)."""
from clinic import unique


def test_a_sealed_word_that_is_moved_does_not_open(doctor, make_patient, database):
    database.execute("set search_path to clinical")  # what the triggers of its tables expect
    client, patient = doctor[0], make_patient()
    visit = client.post("/v1/visits", {"patientId": patient["id"]}, key=unique())["id"]
    notes = f"/v1/visits/{visit}/notes"
    first, second = (client.post(notes, {"category": "SYMPTOM", "text": text}, key=unique())["id"] for text in ("The first", "The second"))
    assert [n["text"] for n in client.get(notes)["items"]] == ["The first", "The second"]

    def body(note):
        return database.execute("select body from clinical.visit_note where id = %s", [note]).fetchone()[0]
    own, foreign = body(first), body(second)
    database.execute("update clinical.visit_note set body = %s where id = %s", [foreign, first])
    answer = client.call("GET", notes)
    assert answer.status >= 500 and b"The second" not in answer.bytes, answer
    database.execute("update clinical.visit_note set body = %s where id = %s", [own, first])
    assert client.call("GET", notes).status == 200

    findings = database.execute("select findings from clinical.visit where id = %s", [visit]).fetchone()[0]
    database.execute("update clinical.visit set findings = %s where id = %s", [own, visit])
    answer = client.call("GET", f"/v1/visits/{visit}")
    assert answer.status >= 500 and b"The first" not in answer.bytes, answer
    database.execute("update clinical.visit set findings = %s where id = %s", [findings, visit])
    assert client.call("GET", f"/v1/visits/{visit}").status == 200


def test_what_a_bill_says_opens_on_no_other_bill(doctor, reception, make_patient, database):
    database.execute("set search_path to billing")  # what the triggers of its tables expect
    visit, bills = doctor[0].post("/v1/visits", {"patientId": make_patient()["id"]}, key=unique())["id"], []
    for text in ("The first", "The second"):
        line = {"description": text, "quantity": 1, "unitPrice": {"amount": 100, "currency": "INR"}}
        bills.append(reception.post("/v1/invoices", {"visitId": visit, "mode": "MANUAL", "lines": [line]}, key=unique())["id"])

    def box(bill):
        return database.execute("select sealed_description from billing.invoice_line where invoice_id = %s", [bill]).fetchone()[0]
    own, foreign = box(bills[0]), box(bills[1])
    database.execute("update billing.invoice_line set sealed_description = %s where invoice_id = %s", [foreign, bills[0]])
    answer = reception.call("GET", f"/v1/invoices/{bills[0]}")
    assert answer.status >= 500 and b"The second" not in answer.bytes, answer
    database.execute("update billing.invoice_line set sealed_description = %s where invoice_id = %s", [own, bills[0]])
    assert reception.get(f"/v1/invoices/{bills[0]}")["lines"][0]["description"] == "The first"


def test_what_was_measured_found_and_prescribed_rests_in_no_table_in_clear(doctor, make_patient, make_medicine, database):
    client, medicine = doctor[0], make_medicine()
    visit = client.post("/v1/visits", {"patientId": make_patient()["id"]}, key=unique())["id"]
    client.patch(f"/v1/visits/{visit}", {"vitals": {"pulse": 137, "temperatureC": 38.65}, "diagnoses": [{"code": "J03.9", "text": "Sore throat"}]})
    measured = database.execute("select value, sealed_value from clinical.visit_observation where visit_id = %s", [visit]).fetchall()
    assert len(measured) == 2 and {value for value, _ in measured} == {None}
    assert all(box[0] in (1, 2) and len(box) >= 29 + 8 and b"38.65" not in box for _, box in measured)
    assert len({len(box) for _, box in measured}) == 1, "the length of a box tells nothing of its value"
    assert database.execute("select count(*) from clinical.visit_diagnosis").fetchone()[0] == 0
    prescription = client.post("/v1/prescriptions", {"visitId": visit, "items": [
        {"medicineId": medicine["id"], "dose": 4.321, "frequencyPerDay": 2, "durationDays": 5}]}, key=unique())["id"]
    *clear, box = database.execute(
        "select name, generic_name, atc, dose, sealed_medicine from clinical.prescription_item where prescription_id = %s", [prescription]).fetchone()
    assert clear == [None] * 4 and box[0] in (1, 2) and medicine["name"].encode() not in box and b"4321" not in box
    assert client.get(f"/v1/visits/{visit}")["vitals"]["pulse"] == 137
    assert client.get(f"/v1/prescriptions/{prescription}")["items"][0]["dose"] == 4.321


def test_a_code_that_the_release_before_writes_is_not_kept(doctor, make_patient, database):
    database.execute("set search_path to clinical")  # what the triggers of its tables expect
    visit = doctor[0].post("/v1/visits", {"patientId": make_patient()["id"]}, key=unique())["id"]
    database.execute("""insert into clinical.visit_diagnosis (tenant_id, visit_id, position, system, code)
        select tenant_id, id, 0, 'ICD-10', 'J03.9' from clinical.visit where id = %s""", [visit])
    kept = database.execute("delete from clinical.visit_diagnosis where visit_id = %s returning code", [visit]).fetchall()
    assert kept == []
