# Sourced by the scripts in hack/: leaves the shell in the repository's root
# with the dependencies of package-lock.json installed and Node 24 first on
# PATH. Installs only when the lock file changed since the last install.
#
#   . "$(dirname "$0")/dev/node.sh"

JOB_CHIEF_ROOT=$(cd "$(dirname "$0")/.." && pwd)
while [ ! -f "$JOB_CHIEF_ROOT/package-lock.json" ]; do
  [ "$JOB_CHIEF_ROOT" != / ] || { echo "$0: package-lock.json not found above this script" >&2; exit 1; }
  JOB_CHIEF_ROOT=$(dirname "$JOB_CHIEF_ROOT")
done
export JOB_CHIEF_ROOT
cd "$JOB_CHIEF_ROOT"

_lock_sum() { cksum < package-lock.json; }

_installed() {
  if [ -f node_modules/.job-chief-lock ]; then
    [ "$(cat node_modules/.job-chief-lock)" = "$(_lock_sum)" ]
  else
    # Installed by hand: npm keeps its own copy of the lock beside the packages.
    [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]
  fi
}

# Runs npm in the background and says every two seconds that it still works.
_npm() {
  _began=$(date +%s)
  npm "$@" --no-fund --no-audit --loglevel=error > "$_log" 2>&1 &
  _pid=$!
  trap 'kill $_pid 2>/dev/null; rm -f "$_log"; exit 130' INT TERM
  while kill -0 $_pid 2>/dev/null; do
    sleep 2
    kill -0 $_pid 2>/dev/null && echo "  npm $1, $(($(date +%s) - _began)) s" >&2
  done
  trap - INT TERM
  wait $_pid
}

_install() {
  if ! command -v npm >/dev/null 2>&1; then
    echo "npm is missing: install Node.js 20 or newer with npm, then run this again" >&2
    exit 1
  fi
  echo "installing dependencies (npm ci, about half a minute the first time)" >&2
  _log=$(mktemp)
  if ! _npm ci; then
    # npm ci insists on an entry for the optional binaries of every platform, and a lock file that was written where
    # a registry lacked some of them has none. npm install takes the same locked versions and leaves the file alone.
    if grep -q EUSAGE "$_log"; then
      grep 'Missing:\|Invalid:' "$_log" | head -3 >&2
      echo "  npm ci refuses the lock file as incomplete: npm install --no-save instead" >&2
      _npm install --no-save
    else
      false
    fi || { cat "$_log" >&2; rm -f "$_log"; echo "the dependencies could not be installed: see the lines above" >&2; exit 1; }
  fi
  rm -f "$_log"
}

if ! _installed; then
  # Two scripts started together must not both empty node_modules.
  if command -v flock >/dev/null 2>&1; then
    exec 9< package-lock.json
    flock 9
    _installed || _install 9<&-
    _lock_sum > node_modules/.job-chief-lock
    exec 9<&-
  else
    _install
    _lock_sum > node_modules/.job-chief-lock
  fi
elif [ ! -f node_modules/.job-chief-lock ]; then
  _lock_sum > node_modules/.job-chief-lock
fi

PATH="$JOB_CHIEF_ROOT/node_modules/.bin:$PATH"
export PATH

# TypeScript files run as they are: that needs type stripping without a flag.
case $(node --version 2>/dev/null) in
  v2[4-9].*|v[3-9][0-9].*) ;;
  *)
    echo "Node.js 24 is needed, found '$(node --version 2>/dev/null)': npm ci installs it on Linux x64, elsewhere put one on PATH" >&2
    exit 1 ;;
esac
