"""The one thing people hand in as a file: pages of a doctor's licence (ASVS 5.0, chapter 5)."""
import base64

import pytest

from clinic import Clinic, unique

MOST = 512 * 1024
PDF, PNG, JPEG = b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


def page(data, kind="licence"):
    return {"kind": kind, "content": base64.urlsafe_b64encode(data).decode().rstrip("=")}


@pytest.fixture()
def newcomer(door, admin):
    email = f"{unique('papers')}@demo.example"
    account = admin.open_account({"name": "Dr. Papers", "email": email, "roles": ["doctor"]})["id"]
    client = Clinic(door.url).as_(email)
    client.call("PUT", "/v1/auth/licence", {"number": "MCI-1", "authority": "Council", "validUntil": "2199-12-31"}, expect=200)
    return client, account


def test_a_page_is_what_its_bytes_are_and_nothing_else_is_taken(newcomer, database):
    doctor, account = newcomer
    for data, kind in ((PDF + b"x", "application/pdf"), (PNG + b"x", "image/png"), (JPEG + b"x", "image/jpeg")):
        assert doctor.post("/v1/auth/licence/documents", page(data))["mediaType"] == kind
    for data in (b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\x03\x04zip", b"MZ\x90\x00", b"\x1f\x8bgzip", b"%!PS", b" %PDF-1.7"):
        refused = doctor.call("POST", "/v1/auth/licence/documents", page(data))
        assert refused.status == 400 and refused["errors"][0]["code"] == "wrong_media_type", (data, refused)
    # What a client would like to call it is no field: there is no file name to be careful with.
    for name in ("name", "fileName", "mediaType"):
        refused = doctor.call("POST", "/v1/auth/licence/documents", {**page(PDF), name: "../../etc/passwd"})
        assert refused.status == 400 and refused["errors"][0]["pointer"] == f"/{name}", refused
    assert database.execute("select count(*) from auth.licence_document where account_id = %s", [account]).fetchone()[0] == 3


def test_a_page_has_an_end_and_so_has_their_number(newcomer):
    doctor, _ = newcomer
    refused = doctor.call("POST", "/v1/auth/licence/documents", page(PDF.ljust(MOST + 1, b"x")))
    assert refused.status == 400 and refused["errors"][0]["pointer"] == "/content", refused
    assert doctor.call("POST", "/v1/auth/licence/documents", page(PDF.ljust(1_000_000, b"x"))).status in (400, 413)
    assert doctor.post("/v1/auth/licence/documents", page(PDF.ljust(MOST, b"x")))["size"] == MOST
    for _ in range(9):
        doctor.post("/v1/auth/licence/documents", page(PNG))
    refused = doctor.call("POST", "/v1/auth/licence/documents", page(PNG))
    assert (refused.status, refused.code) == (422, "too_many_documents")


def test_a_page_is_given_to_an_administrator_inside_json_and_to_nobody_as_a_file(newcomer, admin, reception):
    doctor, account = newcomer
    data = PDF + b"<script>alert(1)</script>"
    path = f"/v1/users/{account}/licence/documents/{doctor.post('/v1/auth/licence/documents', page(data))['id']}"
    answer = admin.get(path)
    assert answer.headers["content-type"] == "application/json" and answer.headers["x-content-type-options"] == "nosniff"
    assert base64.urlsafe_b64decode(answer["content"] + "==") == data
    assert doctor.call("GET", path).status == reception.call("GET", path).status == 403
