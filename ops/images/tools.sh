#!/bin/sh
# A command of the tools: secrets, migrate, doctor. All but the first find the database by the edge's secrets.
set -eu
if [ -r /data/edge.env ]; then
  set -a
  . /data/edge.env
  set +a
fi
command=$1
shift
exec node "/app/$command.mjs" "$@"
