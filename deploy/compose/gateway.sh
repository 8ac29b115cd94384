#!/usr/bin/env bash
# Fills the gateway's configuration with the names of the compose network and runs nginx.
set -euo pipefail
mkdir -p /tmp/gateway/log /tmp/gateway/nginx/temp
sed -e 's|127.0.0.1:@BASE@|8080|; s|\[::1\]:@BASE@|[::]:8080|; s|@DATA@|/tmp/gateway|g' \
    -e 's#@\(auth\|scheduling\|queue\|clinical\|pharmacy\|billing\|notifications\|reporting\|portal\)@#\1:8081#g' \
    /deploy/nginx/nginx.conf >/tmp/gateway/nginx.conf
exec nginx -c /tmp/gateway/nginx.conf -g 'daemon off; pid /tmp/gateway/nginx.pid;'
