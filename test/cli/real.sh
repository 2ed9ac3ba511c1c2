#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: `slabkit run` with the library it was built with: its snapshots arrive, and its figures make sense.
. "$(dirname "$0")/lib.sh"

# at_least WHAT PATH MINIMUM
at_least() {
    local got
    checks=$((checks + 1))
    got=$("$json_get" "$work/json" "$2" 2>&1)
    [[ $got =~ ^[0-9]+$ && $got -ge $3 ]] || fail "$1: $2 is '$got', want at least $3"
}

run "$slabkit" run --report=json -o "$work/json" \
    bash -c 'for i in $(seq 1 20000); do a[i]=$i; done; /bin/ls / >/dev/null; exit 6'
is "bash: status" "$status" 6
empty "bash" "$work/err"
json bash "$work/json" status 6
json bash "$work/json" allocator.version 2
json bash "$work/json" allocator.process bash
at_least bash allocator.slots 1
at_least bash allocator.nodes 1
at_least bash allocator.live_bytes 100000
at_least bash allocator.peak_bytes "$("$json_get" "$work/json" allocator.live_bytes)"
at_least bash allocator.mapped_bytes "$("$json_get" "$work/json" allocator.live_bytes)"
at_least bash allocator.meta_bytes 1
at_least bash allocator.classes.# 10
at_least bash processes.# 1
has bash "$work/json" '"process":"ls"'

run "$slabkit" run --options=slots=portable --report bash -c 'exit 0'
is "portable: status" "$status" 0
has "portable" "$work/err" "  slots       portable ("
has "portable" "$work/err" "  class  "

SLABKIT_OPTIONS=foo=1,slots=x run "$slabkit" run true
is "complaints: status" "$status" 0
has "complaints" "$work/err" "slabkit: SLABKIT_OPTIONS: unknown key 'foo' ignored"
has "complaints" "$work/err" \
    "slabkit: SLABKIT_OPTIONS: bad value 'x' for 'slots' (auto|rseq-cid|rseq-cpu|portable), ignored"
is "complaints: once each" "$(wc -l <"$work/err")" 2

SLABKIT_OPTIONS=report=json,report_file=$work/own run "$slabkit" run true
is "report_file: status" "$status" 0
json report_file "$work/own" process true

# A shell that ends by _exit; a child of vfork that does is not the process.
cat >"$work/ends.py" <<'PY'
import os, subprocess
try:
    subprocess.run(["/nowhere/at/all"])
except FileNotFoundError:
    pass
if os.fork() == 0:
    os._exit(0)
os.wait()
os._exit(7)
PY
SLABKIT_OPTIONS=report=json,report_file=$work/ends run "$slabkit" run python3 "$work/ends.py"
is "_exit: status" "$status" 7
is "_exit: a report for each process" "$(grep -c '"process":"python3"' "$work/ends")" 2
run "$slabkit" run --report dash -c 'exit 3'
is "dash: status" "$status" 3
has "dash" "$work/err" "slabkit: dash (pid "

run "$slabkit" run --report sh -c 'kill -9 $$'
is "killed: status" "$status" 137
has "killed" "$work/err" "the command left no report: killed by signal 9"
nothing_left "real"

finish
