#!/usr/bin/env bash
# Fills the gateway's configuration with the names of the compose network and runs nginx.
set -euo pipefail
mkdir -p /tmp/gateway/log /tmp/gateway/nginx/temp
ln -sfn /secrets /tmp/gateway/secrets
plain='listen 8080; listen [::]:8080;'
edges=(-e 's|@DATA@|/tmp/gateway|g' -e "s|@RATE@|${ADDRESS_RATE:-50}|" -e "s|@BURST@|${ADDRESS_BURST:-100}|" -e "s|@CONNECTIONS@|${ADDRESS_CONNECTIONS:-100}|")
if [ "${GATEWAY_REDIRECT:-}" = true ]; then   # production: plain HTTP only sends people to HTTPS
    plain=
    sed "${edges[@]}" -e 's|@PLAIN@|8080|' /deploy/nginx/redirect.conf >/tmp/gateway/nginx/redirect.conf
fi
echo "$plain listen 8443 ssl http2; listen [::]:8443 ssl http2;" >/tmp/gateway/nginx/listen.conf
cp /deploy/nginx/headers.conf /tmp/gateway/nginx/headers.conf
sed "${edges[@]}" \
    -e 's#@\(auth\|scheduling\|queue\|clinical\|pharmacy\|billing\|notifications\|reporting\|portal\)@#\1:8081#g' \
    /deploy/nginx/nginx.conf >/tmp/gateway/nginx.conf
exec nginx -c /tmp/gateway/nginx.conf -g 'daemon off; pid /tmp/gateway/nginx.pid;'
