#!/bin/sh
# The two processes of the edge, a container each. Secrets come from a file that only this service can read: `docker inspect` shows none.
set -eu
case "${1:-edge}" in
edge)
  set -a
  . /data/edge.env
  TURN_SECRET=$(cat /run/secrets/turn_secret)
  exec /app/workerd serve /app/edge.capnp
  ;;
passwords)
  # The socket of a process that was killed.
  rm -f /run/passwords/socket
  exec /app/workerd serve /app/passwords.capnp
  ;;
*)
  echo "edge or passwords, not $1" >&2
  exit 64
  ;;
esac
