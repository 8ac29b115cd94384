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
