#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: counts the interrupts between CPUs that freeing costs, in a small kernel under QEMU: the old way, one message
#       for each object, beside slabkit. A line per pattern and number of CPUs, and a plot.
#
#   kernel-bench.sh BUILD [-c "2 4 8"] [-n "1 2"] [-f FREES] [-k]
#
# On one node foreign arrays go to the depot whole; on two each of their objects goes home to its slab. Above 16 CPUs
# fewer frees. -k: checks what must hold at 8 CPUs and more, and is silent about the rest. Files: BUILD/kernel-bench.txt,
# .svg.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$1
shift
cpus="2 4 8" nodes="1 2" frees=200000 check=
while getopts c:n:f:k opt; do
    case $opt in
    c) cpus=$OPTARG ;;
    n) nodes=$OPTARG ;;
    f) frees=$OPTARG ;;
    k) check=1 ;;
    *) exit 2 ;;
    esac
done

out=$build/kernel-bench${check:+-check}.txt
: >"$out"
# run CPUS NODES
run() {
    "$root/test/kernel/run.sh" "$build/kernel/ipi_bench.elf" -m $((256 + 16 * $1)) -c "$1" -n "$2" -t $((300 + 20 * $1)) \
        -- $(($1 > 16 ? frees / 2 : frees)) >>"$out" || { status=$?; cat "$out" >&2; exit $status; }
    if [[ -z $check ]]; then
        grep "^pattern=.* cpus=$1 nodes=$2 " "$out"
    fi
}

for n in $cpus; do
    for m in $nodes; do
        run "$n" "$m"
    done
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
# The owner of a burst sleeps, and is told. With several nodes, or more than depots take, objects go home.
$1 ~ /^pattern=/ && (v["nodes"] > 1 || v["pattern"] == "burst-large") {
    must(v["objs_per_cas"] != "none" && v["objs_per_cas"] >= 2, "objects go home in chains")
}
$1 ~ /^detail=/ && v["cpus"] >= 8 && v["detail"] !~ /^burst/ {
    must(v["tells_second_half"] == 0, "no tell in the steady state")
}
END {
    if (checked < 32) {
        print "only " checked " checks: patterns are missing"
        bad = 1
    }
    exit bad
}' "$out"
