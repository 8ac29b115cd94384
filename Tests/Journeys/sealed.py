"""Reads what the services sealed, with nothing of theirs but a copy of the database and the master key.

The formats are those of Shared/Cryptography/Sealed.swift and KeyChain.swift, written a second time on purpose.
"""
import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived(key, use):
    return HKDF(SHA256(), 32, salt=None, info=use.encode()).derive(key)


def open_box(box, keys, context):
    """A box that names its key (2) or not (1): version, nonce, ciphertext and tag."""
    box, context = bytes(box), context.encode()
    if box[0] == 2:
        box, context = box[2:], context + box[:2]
    for key in keys:
        try:
            return AESGCM(key).decrypt(box[1:13], box[13:], context)
        except InvalidTag:
            continue
    raise InvalidTag


class Restored:
    """Clinical's part of a database that was brought back."""

    def __init__(self, database, master_key):
        self.database = database
        self.masters = [bytes.fromhex(line) for line in master_key.read_text().split()]

    def under_master(self, use, context, box):
        return open_box(box, [derived(key, use) for key in self.masters], context)

    def patient(self, patient):
        tenant, personal, wrapped = self.database.execute(
            "select p.tenant_id, p.personal, k.wrapped from clinical.patient p join clinical.data_key k on k.person_id = p.id where p.id = %s",
            [patient]).fetchone()
        ring = [self.under_master("tenant wrapping keys v1", f"{tenant}|{tenant}|clinical.tenant_wrapping_key|wrapped|{number}", box)
                for number, box in self.database.execute(
                    "select number, wrapped from clinical.tenant_wrapping_key where tenant_id = %s", [tenant]).fetchall()]
        founding = self.database.execute("select wrapped from clinical.tenant_key where tenant_id = %s", [tenant]).fetchone()[0]
        ring.append(derived(self.under_master("clinical tenant keys v1", f"{tenant}|{tenant}|tenant_key|wrapped|{tenant}", founding),
                            "clinical patient data keys v1"))
        key = open_box(wrapped, ring, f"{tenant}|{patient}|patient|data_key|{patient}")
        return json.loads(open_box(personal, [key], f"{tenant}|{patient}|patient|personal|{patient}"))
