#!/usr/bin/env bash
# Creates the roles of deploy/postgres/roles.sql in the compose stack's database.
set -euo pipefail
PGPASSWORD=$(cat /secrets/postgres_admin)
export PGPASSWORD PGSSLMODE=verify-full PGSSLROOTCERT=/secrets/ca.crt
{
    for s in auth scheduling queue clinical pharmacy billing notifications reporting portal; do
        echo "select set_config('polyclinic.${s}_password', '$(cat "/secrets/postgres_$s")', false);"
    done
    echo "select set_config('polyclinic.migrator_password', '$(cat /secrets/postgres_migrator)', false);"
    cat /deploy/postgres/roles.sql
} | psql -X -q -v ON_ERROR_STOP=1 -h postgres -U postgres -d polyclinic -o /dev/null
