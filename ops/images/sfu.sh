#!/bin/sh
# The voice node. Its secrets come from a file that only it can read: `docker inspect` shows none.
set -eu
set -a
. "${SFU_SECRETS:-/secrets/sfu.env}"
# SFU_PORTS, which compose publishes, is `first-last`: a worker for each.
SFU_PORT=${SFU_PORTS%-*}
SFU_WORKERS=$((${SFU_PORTS#*-} - SFU_PORT + 1))
exec node /app/sfu.mjs
