#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: counts the interrupts between CPUs that freeing costs, in a small kernel under QEMU: the old way, one message
#       for each object, beside slabkit. A line per pattern and number of CPUs, and a plot.
#
#   kernel-bench.sh BUILD [-c "2 4 8"] [-f FREES] [-k]
#
# -k: checks what must hold at 8 CPUs and more, and is silent about the rest. Files: BUILD/kernel-bench.txt, .svg.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$1
shift
cpus="2 4 8" frees=200000 check=
while getopts c:f:k opt; do
    case $opt in
    c) cpus=$OPTARG ;;
    f) frees=$OPTARG ;;
    k) check=1 ;;
    *) exit 2 ;;
    esac
done

out=$build/kernel-bench${check:+-check}.txt
: >"$out"
for n in $cpus; do
    "$root/test/kernel/run.sh" "$build/kernel/ipi_bench.elf" -m $((256 + 8 * n)) -c "$n" -t $((100 + 20 * n)) -- "$frees" \
        >>"$out" || { status=$?; cat "$out" >&2; exit $status; }
    if [[ -z $check ]]; then
        grep "^pattern=.* cpus=$n " "$out"
    fi
done

if [[ -z $check ]]; then
    python3 "$root/scripts/kernel-bench-plot.py" "$out" >"$build/kernel-bench.svg"
    echo "details: $out, plot: $build/kernel-bench.svg"
    exit 0
fi

awk '
{
    split("", v)
    for (i = 1; i <= NF; i++) {
        split($i, kv, "=")
        v[kv[1]] = kv[2]
    }
}
function must(ok, what) {
    checked++
    if (!ok) {
        print "not so: " what ": " $0
        bad = 1
    }
}
$1 ~ /^pattern=/ && v["cpus"] >= 8 {
    least = v["pattern"] ~ /^(pipeline|all-to-all)$/ ? 1000 : 100
    must(v["ratio"] >= least, "at least " least " interrupts of the old way for one")
    must(v["frees_remote"] >= 10000 && v["ipis_old"] >= 10000, "enough frees by other CPUs to tell")
}
$1 ~ /^detail=/ && v["cpus"] >= 8 && v["detail"] != "burst-large" {
    must(v["tells_second_half"] == 0, "no tell in the steady state")
}
END {
    if (checked < 14) {
        print "only " checked " checks: patterns are missing"
        bad = 1
    }
    exit bad
}' "$out"
