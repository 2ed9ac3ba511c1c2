#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: real programs with a type for each block: the table of types sums to what the heap says, block for block
#       and byte for byte, and lists what it should.
#
#   real.sh BUILD python3|redis|cc [SLABKIT_OPTIONS]
set -euo pipefail
slabkit=$(realpath "$1")/bin/slabkit
program=$2
export SLABKIT_OPTIONS=${3:-}
work=$(mktemp -d)
server=
cleanup() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

die() {
    echo "$program: $*" >&2
    cat report >&2 2>/dev/null || true
    exit 1
}
need() {
    command -v "$1" >/dev/null || { echo "$1 not found"; exit 77; }
}
on() {
    "$slabkit" run --types="$kind" -o report -- "$@"
}

run_python3() {
    need python3
    on "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" -c '
import json, collections
d = collections.Counter(str(i * i)[:3] for i in range(50000))
print(len(json.dumps(d)))' >out
}

run_cc() {
    need gcc
    cat >a.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) { return printf("%s %d\n", argv[0], argc) < 0; }
END
    gcc -E a.c -o a.i
    on "$(gcc -print-prog-name=cc1)" -quiet -fpreprocessed -O2 a.i -o a.s
    [[ -s a.s ]]
}

run_redis() {
    need redis-server
    need redis-benchmark
    on redis-server --port 0 --unixsocket "$work/sock" --save '' --appendonly no --dir "$work" --logfile log &
    server=$!
    for _ in {1..200}; do
        [[ $(redis-cli -s "$work/sock" ping 2>/dev/null) != PONG ]] || break
        sleep 0.05
    done
    redis-benchmark -s "$work/sock" -q -n 5000 -c 10 -r 1000 -t set,get,lpush,hset >/dev/null
    redis-cli -s "$work/sock" shutdown nosave
    wait "$server"
    server=
}

# Blocks and bytes of the heap: classes, large and huge blocks.
heap_blocks() {
    awk '$1 == "all" && !done { n += $2; done = 1 } ($1 == "large" || $1 == "huge") && $4 == "in" { n += $5 }
         END { print n }' report
}
types_of_report() {
    sed -n '/^types, by memory/,/^$/p' report | tail -n +3
}

for kind in dso site token; do
    "run_$program"
    [[ $(types_of_report | wc -l) -ge 2 ]] || die "--types=$kind: no types"
    blocks=$(types_of_report | awk '$1 == "all" { print $2 }')
    bytes=$(types_of_report | sed -nE 's/^  all +-?[0-9]+ +([0-9.]+ [KMGT]?i?B) .*/\1/p')
    live=$(sed -nE 's/^  live +([0-9.]+ [KMGT]?i?B) .*/\1/p' report | head -1)
    [[ $blocks == "$(heap_blocks)" ]] || die "--types=$kind: $blocks blocks in types, $(heap_blocks) in the heap"
    [[ -n $bytes && $bytes == "$live" ]] || die "--types=$kind: $bytes in types, $live in the heap"
    sum=$(types_of_report | sed -nE 's/^  (.*[^ ]) +(-?[0-9]+) +[0-9.]+ [KMGT]?i?B .*/\2/p' | awk '{ n += $1 } END { print n }')
    [[ $sum == $((2 * blocks)) ]] || die "--types=$kind: the rows sum to $((sum - blocks)), not $blocks"
    echo "--types=$kind: $(($(types_of_report | wc -l) - 1)) types, $blocks blocks, $bytes"
    [[ $kind != dso ]] || types_of_report | grep -qF libc.so || die "libc allocates nothing?"
    [[ $kind != token ]] || types_of_report | grep -qF '(no token)' || die "tokens from where?"
done
