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
