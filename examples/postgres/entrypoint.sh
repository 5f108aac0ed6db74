#!/bin/sh
# Makes the cluster at the first start, then becomes the command that was asked for.
set -eu

if [ "$1" = postgres ] && [ ! -e "$PGDATA" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "entrypoint: the first start needs a password: docker run -e POSTGRES_PASSWORD=..." >&2
    exit 1
  fi
  # Made beside its place and then renamed: a container that is killed here starts over.
  rm -rf "$PGDATA.new"
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$PGDATA.new" --username=postgres --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA.new/pg_hba.conf"
  mv "$PGDATA.new" "$PGDATA"
fi
unset POSTGRES_PASSWORD
exec "$@"
