#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Role: `slabkit bench` from outside: every workload once and small, wrong usage, failures, skips,
#       and the documentation's list of workloads.
# Usage: smoke.sh SLABKIT BENCHMARK.MD
set -u
slabkit=$1
doc=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "smoke: $*" >&2
    cat "$dir/out" "$dir/err" >&2
    exit 1
}

# expect STATUS ARGUMENT...
expect()
{
    status=$1
    shift
    "$slabkit" bench "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$status" ] || fail "status $got, not $status: bench $*"
}

expect 2 --no-such-option
expect 2 --reps
expect 2 --reps 0
expect 2 --scale -1
expect 2 --allocator nofile
expect 2 --allocator x="$dir/none.so"
expect 2 --workload no-such-workload
expect 2 --only no-such-allocator
expect 2 stray
expect 0 --help

expect 0 --list
workloads=$(sed -n '/^workloads:/,/^allocators:/s/^  \([^ ]*\) .*/\1/p' "$dir/out")
[ -n "$workloads" ] || fail "no workloads listed"
for name in $workloads; do
    grep -q "\`$name\`" "$doc" || fail "$doc says nothing of $name"
done

# A peer by another name is as good as any; idle rests for two seconds, so it is left to a run.
small=$(printf '%s\n' "$workloads" | grep -v '^idle$' | paste -sd, -)
expect 0 --only libc --reps 1 --scale 0.001 --workload "$small" \
    --json "$dir/json" --plot "$dir/svg"
for name in $workloads; do
    [ "$name" = idle ] || grep -q "^$name " "$dir/out" || fail "no row for $name"
done
python3 - "$dir/json" "$dir/svg" <<'EOF' || fail "JSON or SVG is not right"
import json, sys, xml.dom.minidom
run = json.load(open(sys.argv[1]))
assert run["failures"] == 0
for workload in run["workloads"]:
    if "skipped" in workload:
        continue
    cell = workload["results"]["libc"]
    assert cell["time_ns"] > 0 and cell["peak_rss_kib"] > 500, workload["name"]
    assert len(cell["samples"]) == 1, workload["name"]
xml.dom.minidom.parse(sys.argv[2])
EOF

# What ld.so would ignore must not be measured under the name it was given.
echo "not a library" >"$dir/text.so"
expect 1 --allocator "text=$dir/text.so" --only libc,text --reps 1 --scale 0.001 --workload pair-16
grep -q 'text takes no part: .*the preload had no effect' "$dir/err" || fail "text.so was taken"

path=$PATH
PATH=$dir
export PATH
"$slabkit" bench --only libc --reps 1 --scale 0.001 --workload pair-16,cc,redis \
    >"$dir/out" 2>"$dir/err"
got=$?
PATH=$path
[ $got -eq 0 ] || fail "status $got where programs are missing"
grep -q '^cc  *skipped: ' "$dir/out" || fail "a missing compiler is not said"
grep -q 'redis is skipped: ' "$dir/err" || fail "a missing server is not said"
exit 0
