"""Passkeys from an authenticator in software: what its owner can do with one, and what a thief or a phishing page cannot."""
import base64
import hashlib
import json
import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from clinic import Clinic, unique


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Device:
    """One credential. `flags`: 1 the person is there, 4 the person was verified."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.count, self.user = os.urandom(32), 0, b""

    def data(self, flags, domain="localhost"):
        self.count += 1
        return hashlib.sha256(domain.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    @staticmethod
    def client(kind, challenge, origin="http://localhost:8080"):
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

    def register(self, options):
        self.user = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        point = self.key.public_key().public_numbers()
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + point.x.to_bytes(32, "big") + b"\x22\x58\x20" + point.y.to_bytes(32, "big")
        data = self.data(0x45) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + len(data).to_bytes(2, "big") + data
        return {"clientDataJSON": encoded(self.client("webauthn.create", options["challenge"])), "attestationObject": encoded(attestation)}

    def sign(self, challenge, flags=5, origin="http://localhost:8080", domain="localhost"):
        client, data = self.client("webauthn.get", challenge, origin), self.data(flags, domain)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {"credentialId": encoded(self.id), "clientDataJSON": encoded(client), "authenticatorData": encoded(data),
                "signature": encoded(signature), "userHandle": encoded(self.user)}


@pytest.fixture()
def device(door, admin):
    email = f"{unique('passkey')}@demo.example"
    admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]})
    me = Clinic(door.url).as_(email)
    made = Device()
    me.post("/v1/auth/passkeys", made.register(me.post("/v1/auth/passkeys/registration", expect=200).json))
    return made


def attempt(door, device, **options):
    challenge = door.post("/v1/auth/passkeys/challenge", expect=200)["challenge"]
    return door.call("POST", "/v1/auth/passkeys/sign-in", device.sign(challenge, **options))


def test_a_passkey_opens_without_name_or_password_and_its_answer_only_once(door, device):
    challenge = door.post("/v1/auth/passkeys/challenge", expect=200)["challenge"]
    shown = device.sign(challenge)
    assert door.post("/v1/auth/passkeys/sign-in", shown, expect=200)["accessToken"]
    assert door.call("POST", "/v1/auth/passkeys/sign-in", shown).code == "passkey_invalid"
    assert door.call("POST", "/v1/auth/passkeys/sign-in", device.sign(challenge)).code == "passkey_invalid"


def test_a_signature_for_another_page_opens_nothing(door, device):
    assert attempt(door, device, origin="https://clinic.example.evil").code == "passkey_invalid"
    assert attempt(door, device, domain="evil.example").code == "passkey_invalid"
    assert attempt(door, device).status == 200


def test_a_device_that_did_not_verify_its_owner_opens_nothing(door, device):
    assert attempt(door, device, flags=1).code == "passkey_invalid"
    assert attempt(door, device).status == 200


def test_a_copied_key_is_noticed_by_its_counter(door, device):
    assert attempt(door, device).status == 200
    device.count -= 1
    assert attempt(door, device).code == "passkey_invalid"
