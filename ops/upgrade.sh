#!/usr/bin/env bash
# Brings the installation that docker-compose.yml runs to the newest version, or leaves it as it was.
#
#   ops/upgrade.sh          git pull, newest base images, build (with a registry in IMAGES: pull VERSION), then:
#   ops/upgrade.sh --here   the images of VERSION that are on this machine, then:
#
#   new images are there → people are held off → restore point → migrate → start → health → people come back
#                                                └── any failure, also of this script: the restore point and the images of before
#
# Nobody is served by the new version before it is healthy, so going back loses nothing that was acknowledged. The restore point is a copy of the
# database beside it: no backup (docs/self-hosting.md), but back in a moment. It takes the disk space of the database once more while this runs.
set -euo pipefail
cd "$(dirname "$0")/.."

before=(IMAGES=lescopains-before VERSION=upgrade PULL_POLICY=never)
kept=.cache/upgrade/docker-compose.yml
images=(caddy edge sfu tools)

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
sql() { docker compose exec -T postgres psql -X -q -v ON_ERROR_STOP=1 -U lescopains -d postgres -tA -c "$1"; }
has_database() { [ "$(sql "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ]; }

# The service whose container shows which image of ours was running.
service_of() { [ "$1" = tools ] && echo migrate || echo "$1"; }

# Keeps what runs now: the images under names of their own, and the compose file that belongs to them.
keep_what_runs() {
  local image container
  for image in "${images[@]}"; do
    container=$(docker compose ps -aq "$(service_of "$image")")
    [ -n "$container" ] || fail "Nothing to upgrade: docker compose up -d --wait starts this version"
    docker tag "$(docker inspect --format '{{.Image}}' "$container")" "lescopains-before/$image:upgrade"
  done
  mkdir -p "$(dirname "$kept")"
  cp docker-compose.yml "$kept"
}

fetch_new() {
  if [ -z "$here" ]; then
    if git rev-parse --abbrev-ref '@{upstream}' >/dev/null 2>&1; then git pull --ff-only; fi
    # Read to its end: what writes on into a pipe that nobody reads any more fails.
    if docker compose config --images | grep '^lescopains/' >/dev/null; then
      docker compose pull --ignore-buildable
      docker compose build --pull
    else
      docker compose pull
    fi
  fi
}

make_restore_point() {
  sql "ALTER DATABASE lescopains ALLOW_CONNECTIONS false"
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lescopains'" >/dev/null
  sql "CREATE DATABASE lescopains_before TEMPLATE lescopains STRATEGY file_copy"
  sql "ALTER DATABASE lescopains ALLOW_CONNECTIONS true"
}

go_back() {
  trap - EXIT INT TERM
  say "Going back to the version of before …"
  docker compose stop caddy edge >/dev/null 2>&1 || true
  if has_database lescopains_before; then
    sql "DROP DATABASE IF EXISTS lescopains WITH (FORCE)"
    sql "ALTER DATABASE lescopains_before RENAME TO lescopains"
  else
    sql "ALTER DATABASE lescopains ALLOW_CONNECTIONS true"
  fi
  env "${before[@]}" docker compose --project-directory . -f "$kept" up -d --wait >/dev/null 2>&1 \
    || fail "The version of before does not start either: look into docker compose logs; its images are lescopains-before/*:upgrade"
  fail "The upgrade was given up: the version of before is running, with everything that was stored. Start nothing with docker compose up before the next upgrade"
}

main() {
  case "${1:-}" in
  "") here= ;;
  --here) here=yes ;;
  *) fail "usage: ops/upgrade.sh [--here]" ;;
  esac
  mkdir -p .cache
  exec 9>.cache/upgrade.lock
  flock -n 9 || fail "Another upgrade is running"

  [ -n "$(docker compose ps -q --status running postgres)" ] \
    || fail "Nothing to upgrade: docker compose up -d --wait starts this version"
  # Dropped before people are let in again: where there is one, nothing was acknowledged since.
  if has_database lescopains_before; then
    say "An upgrade was interrupted."
    go_back
  fi
  keep_what_runs
  say "Getting the new version …"
  fetch_new

  trap go_back EXIT INT TERM
  say "Holding people off, making a restore point …"
  docker compose stop caddy edge >/dev/null 2>&1
  make_restore_point
  say "Migrating and starting …"
  docker compose up -d --wait --wait-timeout 120 edge passwords sfu >.cache/upgrade/up.log 2>&1 || {
    docker compose logs --no-log-prefix --tail 3 migrate edge || true
    exit 1
  }
  sql "DROP DATABASE lescopains_before"
  trap - EXIT INT TERM
  docker compose up -d --wait
  say "Upgraded: $(docker compose logs --no-log-prefix migrate | grep -i database | tail -n 1)"
}

# Read whole before it runs: git pull may replace this file.
main "$@"
exit
