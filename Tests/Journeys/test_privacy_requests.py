"""Somebody asks about their record, is answered once and within a month, and others neither ask nor read for them (GDPR 12, 15 to 18)."""
import psycopg
import pytest

from clinic import unique


@pytest.fixture()
def person(admin, door, make_patient):
    """A patient with an account of their own."""
    patient = make_patient()["id"]
    mail = f"{unique('asking')}@requests.example"
    admin.open_account({"name": "Asking One", "email": mail, "roles": ["patient"], "patientId": patient})
    return patient, door.as_(mail)


def test_a_request_is_told_to_the_administrators_answered_once_and_read_by_whom_it_is_about(person, admin, reception, make_patient, database):
    patient, client = person
    path = f"/v1/patients/{patient}/requests"
    asked = client.post(path, {"kind": "correction", "words": "My birth date is wrong."})
    assert asked["overdue"] is False and asked.status == 201
    assert client.call("POST", path, {"kind": "correction", "words": "Again."}).json["code"] == "request_open"
    admin.eventually("/v1/notifications?limit=50", lambda a: any(
        n["kind"] == "privacy_request_filed" and n["subjectId"] == asked["id"] for n in a["items"]))
    assert client.call("GET", f"/v1/patients/{make_patient()['id']}/requests").status == 404
    for who in (client, reception):
        assert who.call("GET", "/v1/privacy-requests").status == 403
        assert who.call("POST", f"/v1/privacy-requests/{asked['id']}/answer", {"outcome": "done"}).status == 403
    answer = f"/v1/privacy-requests/{asked['id']}/answer"
    assert admin.call("POST", answer, {"outcome": "refused"}).json["code"] == "reason_missing"
    admin.call("POST", answer, {"outcome": "refused", "words": "Your passport says the same."}, expect=200)
    assert admin.call("POST", answer, {"outcome": "done"}).json["code"] == "request_answered"
    own = client.get(path)["items"][0]
    assert (own["outcome"], own["answer"]) == ("refused", "Your passport says the same.")
    client.eventually("/v1/notifications?limit=50", lambda a: any(n["kind"] == "privacy_request_answered" for n in a["items"]))

    # Not even past the code: the database keeps an answer as it was given, and its month as it was.
    for change in ("outcome = 'done'", "reminded_at = now()"):
        with pytest.raises(psycopg.errors.IntegrityError) as refused, database.transaction(force_rollback=True):
            database.execute(f"update clinical.privacy_request set {change} where id = %s", [asked["id"]])
        assert refused.value.diag.constraint_name == "privacy_request_answered_once"
    may = database.execute("select has_column_privilege('polyclinic_clinical', 'clinical.privacy_request', 'due_on', 'update')").fetchone()
    assert may == (False,)
