#!/bin/sh
# A command of the tools: secrets, migrate, doctor, backup, restore, password-link. All but the first find the database by the edge's secrets.
set -eu
export DATA_DIR=/data
if [ -r /data/edge.env ]; then
  set -a
  . /data/edge.env
  set +a
fi
# Without a domain, Caddy's own authority is who vouches for it.
authority=/caddy/caddy/pki/authorities/local/root.crt
if [ -r "$authority" ]; then export NODE_EXTRA_CA_CERTS="$authority"; fi
command=$1
shift
exec node "/app/$command.mjs" "$@"
