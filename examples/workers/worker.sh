#!/bin/sh
# Counts the words of a message {"text": "..."} and stores the number under the id of the message.
# Exit codes: 0 done, 1 try again, 2 never try again.
set -eu

message="${MESSAGE_FILE:-/job-chief/message}"
results="${RESULTS:-/results}"
# As PID 1 of a container a shell ignores SIGTERM unless it says otherwise.
trap 'kill "$!" 2> /dev/null; exit 143' TERM

# The id is any text: it is no file name before it is hashed.
key="$(printf %s "$JOB_CHIEF_MESSAGE_ID" | sha256sum | cut -c1-32)"

if [ -e "$results/$key" ]; then
  words="$(cat "$results/$key")"          # a Job before this one got that far
else
  text="$(sed -n 's/^{ *"text" *: *"\([^"\\]*\)" *}$/\1/p' "$message")"
  [ -n "$text" ] || { echo "the message has no text" >&2; exit 2; }
  words="$(printf '%s\n' "$text" | wc -w | tr -d ' ')"
  # Something that takes long runs beside the shell, which could not hear a signal otherwise.
  sleep "${WORK_SECONDS:-0}" & wait $!
  printf %s "$words" > "$results/.$key.$$" || exit 1
  mv "$results/.$key.$$" "$results/$key"  # whole or not at all
fi

printf 'words=%s\n' "$words" > "$JOB_CHIEF_OUTPUT"
