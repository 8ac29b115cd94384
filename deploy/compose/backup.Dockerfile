# Postgres's own tools, and what deploy/local/backup needs beside them.
FROM postgres:15-bookworm
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends openssl python3 && rm -rf /var/lib/apt/lists/* \
    && install -d -o 999 -g 999 /backups /metrics
COPY deploy/local/backup deploy/compose/backup.sh /usr/bin/
USER 999:999
ENTRYPOINT ["bash", "/usr/bin/backup.sh"]
