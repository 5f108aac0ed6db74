#!/bin/sh
# The hosts of the team, a page of containers, and a join token that is made once however often this is sent.
set -eu
api="$FLOTILLA_URL/api/v1"
call() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $FLOTILLA_TOKEN" "$@"; }

call "$api/hosts"
call "$api/containers?limit=50"
call --header 'Content-Type: application/json' --header "Idempotency-Key: ${KEY:-example-1}" \
  --data '{"expiresInMinutes":10,"uses":1}' "$api/join-tokens"
