"""Prints RabbitMQ's definitions: one vhost, one user per service, one for an outside worker.

usage: rabbitmq_definitions.py SECRETS_DIR SERVICE…

A service may touch the exchange and queues named after itself. The outside worker may make, bind and read
queues named worker.*, and nothing else. Passwords are made when missing and only their hashes go in here.
"""
import base64
import hashlib
import json
import os
import pathlib
import secrets
import sys

folder, services = pathlib.Path(sys.argv[1]), sys.argv[2:]
VHOST = "polyclinic"


def password(name: str) -> str:
    file = folder / f"amqp_{name}"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(secrets.token_hex(24))
    return file.read_text().strip()


def user(login: str, name: str, tags: str = "") -> dict:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password(name).encode()).digest()
    return {
        "name": login, "tags": tags, "hashing_algorithm": "rabbit_password_hashing_sha256",
        "password_hash": base64.b64encode(salt + digest).decode(),
    }


def grant(login: str, configure: str, write: str, read: str) -> dict:
    return {"user": login, "vhost": VHOST, "configure": configure, "write": write, "read": read}


users = [user("polyclinic_admin", "admin", "administrator"), user("worker", "worker")]
permissions = [
    grant("polyclinic_admin", ".*", ".*", ".*"),
    grant("worker", r"^worker\..*$", r"^worker\..*$", r"^(worker\..*|polyclinic)$"),
]
for service in services:
    users.append(user(f"polyclinic_{service}", service))
    own = rf"^(polyclinic|polyclinic\..*|{service}\..*)$"
    permissions.append(grant(f"polyclinic_{service}", own, rf"^(polyclinic|polyclinic\..*|amq\.default|{service}\..*)$", own))

json.dump({"vhosts": [{"name": VHOST}], "users": users, "permissions": permissions}, sys.stdout, indent=1)
