# SPDX-License-Identifier: BSD-2-Clause
# Role: what the tests of slabkit(1) share; sourced with the build directory as $1. Each check names
#       itself when it fails; finish says how many there were, and fails if any did or none ran.
set -uo pipefail

build=$(realpath "$1")
slabkit=$build/bin/slabkit
double=$build/test/cli_double.so
json_get=$build/test/cli_json_get
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp
export ASAN_OPTIONS=verify_asan_link_order=0
unset SLABKIT_OPTIONS SLABKIT_LIBRARY LD_PRELOAD CLI_DOUBLE

checks=0
failures=0

fail() {
    failures=$((failures + 1))
    echo "FAILED: $*" >&2
    sed 's/^/  out: /' "$work/out" >&2
    sed 's/^/  err: /' "$work/err" >&2
}

# run COMMAND...: status, $work/out, $work/err
run() {
    "$@" >"$work/out" 2>"$work/err"
    status=$?
}

# is WHAT GOT WANT
is() {
    checks=$((checks + 1))
    [[ $2 == "$3" ]] || fail "$1: got '$2', want '$3'"
}

# has WHAT FILE TEXT: FILE contains TEXT
has() {
    checks=$((checks + 1))
    grep -qF -e "$3" "$2" || fail "$1: no '$3' in $(basename "$2")"
}

# lacks WHAT FILE TEXT
lacks() {
    checks=$((checks + 1))
    ! grep -qF -e "$3" "$2" || fail "$1: '$3' in $(basename "$2")"
}

# empty WHAT FILE
empty() {
    checks=$((checks + 1))
    [[ -f $2 && ! -s $2 ]] || fail "$1: $(basename "$2") is not empty"
}

# json WHAT FILE PATH WANT
json() {
    is "$1: $3" "$("$json_get" "$2" "$3" 2>&1)" "$4"
}

# Nothing is left of what was collected.
nothing_left() {
    is "$1: temporary files" "$(ls -A "$TMPDIR")" ""
}

# until_has FILE TEXT PID: waits until process PID has written TEXT, or has ended.
until_has() {
    until grep -qF -e "$2" "$1" || ! kill -0 "$3" 2>/dev/null; do
        sleep 0.02
    done
}

finish() {
    echo "$checks checks, $failures failed"
    [[ $checks -gt 0 && $failures -eq 0 ]]
    exit
}
