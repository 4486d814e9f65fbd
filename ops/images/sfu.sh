#!/bin/sh
# The voice node. Its secrets come from a file that only it can read: `docker inspect` shows none.
set -eu
set -a
. "${SFU_SECRETS:-/secrets/sfu.env}"
# SFU_PORTS, which compose publishes, is `first-last`: a worker for each.
SFU_PORT=${SFU_PORTS%-*}
SFU_WORKERS=$((${SFU_PORTS#*-} - SFU_PORT + 1))
# What browsers are told: an IPv4 address or a name, an IPv6 address, or both with a comma between.
SFU_LISTEN=
for announced in $(echo "$SFU_ANNOUNCED" | tr , ' '); do
  case $announced in
  *:*) SFU_LISTEN=${SFU_LISTEN:+$SFU_LISTEN,}::=$announced ;;
  *) SFU_LISTEN=${SFU_LISTEN:+$SFU_LISTEN,}0.0.0.0=$announced ;;
  esac
done
exec node /app/sfu.mjs
