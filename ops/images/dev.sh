#!/bin/sh
# The edge in wrangler dev, with the secrets and settings of docker-compose.yml as its variables.
set -eu
set -a
. /data/edge.env
TURN_SECRET=$(cat /run/secrets/turn_secret)
CLOUDFLARE_INCLUDE_PROCESS_ENV=true
CLOUDFLARE_CF_FETCH_ENABLED=false
WRANGLER_SEND_METRICS=false
HOME=/tmp
exec node_modules/.bin/wrangler dev --ip 0.0.0.0 --port 8787 --persist-to /data/wrangler --show-interactive-dev-session=false
