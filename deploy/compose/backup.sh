#!/usr/bin/env bash
# A backup now and every BACKUP_HOURS hours, and its figures on port 9100. A backup that fails is tried again after ten
# minutes; what came of it is seen from the figures, so this never ends because of one.
set -uo pipefail
python3 -m http.server --directory /metrics --bind 0.0.0.0 9100 >/dev/null 2>&1 &
trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM INT
while true; do
    if BACKUP_METRICS=/metrics/metrics backup keep /backups "${POSTGRES_HOST:-postgres}" "${POSTGRES_PORT:-5432}" /secrets; then
        sleep $((${BACKUP_HOURS:-24} * 3600)) &
    else
        sleep 600 &
    fi
    wait $!
done
