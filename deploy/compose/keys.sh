#!/usr/bin/env bash
# Makes the secrets of the compose stack in /secrets, each once, and gives each container its own: a volume that nobody
# else mounts, in /given/<name>, readable by the user that reads it and by no other.
set -euo pipefail
secrets=${SECRETS:-/secrets} given=${GIVEN:-/given} tools=${TOOLS:-/usr/share/polyclinic}
services=(auth scheduling queue clinical pharmacy billing notifications reporting portal)
umask 077
for name in postgres_admin postgres_migrator redis "${services[@]/#/postgres_}"; do
    [ -s "$secrets/$name" ] || openssl rand -hex 24 >"$secrets/$name"
done
# Of backups, which belong in another place than the backups.
for name in backup_data_key backup_keys_key; do [ -s "$secrets/$name" ] || openssl rand -hex 32 >"$secrets/$name"; done
CERTIFICATE_NAMES="${GATEWAY_NAMES:-}" "$tools/certificates" "$secrets" gateway postgres rabbitmq redis
auth generate-keys --directory "$secrets"
# Signs how far the audit chains have come: a key of its own, and a folder that only reporting writes.
[ -s "$secrets/audit_checkpoint.pem" ] ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$secrets/audit_checkpoint.pem" 2>/dev/null
[ ! -d /checkpoints ] || chown 10001:10001 /checkpoints
python3 "$tools/rabbitmq_definitions.py" "$secrets" "${services[@]}" >"$secrets/rabbitmq_definitions.json"

give() { # container user file…
    local to=$given/$1 user=$2 name; shift 2
    mkdir -p "$to"; chmod 700 "$to"
    for name in "$@"; do install -m 400 "$secrets/$name" "$to/.$name" && mv -f "$to/.$name" "$to/$name"; done
    [ "$(id -u)" != 0 ] || chown -R "$user:$user" "$to"
}
# The users of the images: ours run as 10001; Debian's Postgres and RabbitMQ as 999; who starts as root reads all it is given.
give postgres 999 postgres_admin postgres.crt postgres.key
give rabbitmq 999 rabbitmq.crt rabbitmq.key ca.crt rabbitmq_definitions.json
give redis 0 redis redis.crt redis.key
give gateway 0 gateway.crt gateway.key
give roles 0 ca.crt postgres_admin postgres_migrator "${services[@]/#/postgres_}"
give stunnel 10001 ca.crt
give backup 999 ca.crt postgres_admin backup_data_key backup_keys_key
give migrator 10001 postgres_migrator
for service in "${services[@]}"; do
    own=()
    [ "$service" != auth ] || own=(jwt_private.pem password_pepper index_key)
    [ "$service" != reporting ] || own=(audit_checkpoint.pem)
    give "$service" 10001 ca.crt jwks.json master_key redis "postgres_$service" "amqp_$service" "${own[@]}"
done
