#!/usr/bin/env bash
# Makes the secrets of the compose stack in /secrets, each once.
set -euo pipefail
services=(auth scheduling queue clinical pharmacy billing notifications reporting portal)
umask 022   # the volume is mounted into our containers only, and they run as different users
for name in postgres_admin postgres_migrator redis "${services[@]/#/postgres_}"; do
    [ -s "/secrets/$name" ] || openssl rand -hex 24 >"/secrets/$name"
done
CERTIFICATE_NAMES="${GATEWAY_NAMES:-}" /usr/share/polyclinic/certificates /secrets gateway postgres rabbitmq
auth generate-keys --directory /secrets
# Signs how far the audit chains have come: a key of its own, and a folder that only reporting writes.
[ -s /secrets/audit_checkpoint.pem ] ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /secrets/audit_checkpoint.pem 2>/dev/null
chown 10001:10001 /checkpoints
python3 /usr/share/polyclinic/rabbitmq_definitions.py /secrets "${services[@]}" >/secrets/rabbitmq_definitions.json
chmod a+r /secrets/*
chmod 600 /secrets/ca.key   # nobody but this container signs
