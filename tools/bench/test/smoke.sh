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
sed '1,/^allocators:/d' "$dir/out" | grep -q '^  slabkit ' && ours=yes || ours=
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
    assert len(cell["samples"]) == 1, workload["name"]
    if workload["name"] in ("colour", "kmalloc-64"):
        assert "absent" in cell["samples"][0] and "time_ns" not in cell, workload["name"]
        continue
    assert cell["time_ns"] > 0 and cell["peak_rss_kib"] > 500, workload["name"]
xml.dom.minidom.parse(sys.argv[2])
EOF

# Objects come from slabkit's caches where they are, and from malloc where not.
if [ "$ours" ]; then
    expect 0 --only libc,slabkit --reps 2 --scale 0.001 --json "$dir/json" \
        --workload 'pair-16,object-*,colour,kmalloc-64'
    python3 - "$dir/json" <<'EOF' || fail "object caches were not measured"
import json, sys
run = json.load(open(sys.argv[1]))
two_ways = {}
for workload in run["workloads"]:
    name, results = workload["name"], workload["results"]
    if name.startswith("object-") or name == "colour":
        assert all(sample["object_cache"] for sample in results["slabkit"]["samples"]), name
    assert not any("object_cache" in sample for sample in results["libc"]["samples"]), name
    for allocator, cell in results.items():
        if "versus_ratio" in cell:
            two_ways[name, allocator] = cell["versus_ratio"]
            assert workload["versus"] and cell["samples"][0]["versus_ns"] > 0, name
two_ways.pop(("kmalloc-64", "slabkit"), None)
assert set(two_ways) == {("object-bulk-64", "slabkit"), ("colour", "slabkit")}, two_ways
assert all(ratio > 0 for ratio in two_ways.values()), two_ways
means = {al["name"]: al["time_ratio"]["workloads"] for al in run["allocators"]}
assert means == {"libc": 1, "slabkit": 1}, means
EOF
    grep -q '^object-bulk-64 .*  bulk calls / single calls$' "$dir/out" || fail "no row of two ways"
fi

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
