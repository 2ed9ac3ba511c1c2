#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: a real program on slabkit and on libc's malloc, side by side: the machine's C compiler on a large file, runs
#       of both taking turns, medians of time, the largest peak RSS of any process of the run (what wait4 reports
#       for the compiler driver includes those it waited for). Then slabkit's own report of one run.
#
#   run-demo.sh BUILD [REPETITIONS]
set -euo pipefail
build=${1:?build directory missing}
repetitions=${2:-3}
slabkit=$build/bin/slabkit
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

awk -v FUNCTIONS=600 -f "$here/big-c-file.awk" >"$dir/big.c"
lines=$(wc -l <"$dir/big.c")
compile=(cc -O1 -c "$dir/big.c")

# measure NAME COMMAND...: appends "elapsed user system KiB" to NAME's figures.
measure() {
    local name=$1
    shift
    command time -f '%e %U %S %M' -a -o "$dir/$name.figures" "$@"
}

# shellcheck disable=SC2016 # awk's columns
# The medians of elapsed seconds, CPU seconds, KiB.
medians() {
    local column
    for column in '$1' '$2 + $3' '$4'; do
        awk "{ print $column }" "$dir/$1.figures" | sort -n | sed -n "$(((repetitions + 1) / 2))p"
    done | paste -sd' '
}

echo "cc -O1 on a C file of $lines lines, $repetitions runs on each allocator, taking turns; medians:"
for ((i = 0; i < repetitions; i++)); do
    measure libc "${compile[@]}" -o "$dir/libc.o"
    rm -f "$dir/report"
    measure slabkit "$slabkit" run --report=text -o "$dir/report" -- "${compile[@]}" -o "$dir/slabkit.o"
done
cmp "$dir/libc.o" "$dir/slabkit.o" || { echo "the compiler wrote different code on slabkit" >&2; exit 1; }

paste -d' ' <(medians libc) <(medians slabkit) | awk '{
    printf "\n  %-8s %10s %10s %14s\n", "", "time", "CPU time", "peak RSS"
    printf "  %-8s %8.2f s %8.2f s %10.1f MiB\n", "libc", $1, $2, $3 / 1024
    printf "  %-8s %8.2f s %8.2f s %10.1f MiB\n", "slabkit", $4, $5, $6 / 1024
    printf "  %-8s %9.1f%% %9.1f%% %13.1f%%\n", "ratio", 100 * $4 / $1, 100 * $5 / $2, 100 * $6 / $3
}'
echo
echo "slabkit's report of the last run:"
cat "$dir/report"
