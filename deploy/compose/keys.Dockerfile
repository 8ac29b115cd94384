# Makes every secret once, in the shared volume.
# The build context named "auth" is the image of migrate-auth (compose: additional_contexts).
# hadolint ignore=DL3006
FROM auth AS built

FROM python:3.12-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends openssl libpq5 libhiredis0.14 librabbitmq4 libwslay1 \
       libsodium23 libssl3 libcurl4 && rm -rf /var/lib/apt/lists/*
COPY --from=built /usr/bin/service /usr/bin/auth
COPY deploy/local/rabbitmq_definitions.py deploy/local/certificates deploy/compose/keys.sh /usr/share/polyclinic/
CMD ["bash", "/usr/share/polyclinic/keys.sh"]
