#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: a file of src/LAYER and a test of test/LAYER include their own layer and lower ones only.
#
#   layers-include.sh ROOT LAYER...   (bottom to top)
set -euo pipefail
root=$1
shift

cd "$root"
dirs=()
for layer in "$@"; do
    for dir in "src/$layer" "test/$layer"; do
        [[ ! -d $dir ]] || dirs+=("$dir")
    done
done

# file:line:#include "name"  for every quoted include
includes=$(grep -rnE --include='*.[chS]' --include='*.cc' --include='*.def' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "${dirs[@]}")
[[ -n $includes ]] || { echo "no include found: this checks nothing" >&2; exit 1; }

awk -F: -v layers="$*" '
function layer_of(path,    part) {
    split(path, part, "/")
    return part[1]
}
BEGIN {
    n = split(layers, name, " ")
    for (i = 1; i <= n; i++)
        rank[name[i]] = i
}
{
    split($1, part, "/")
    own = part[2]
    match($0, /"[^"]+"/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    if (part[1] == "src" && target ~ /\.\.\//) {
        printf "%s:%s: \"%s\": name the file from src/\n", $1, $2, target
        bad = 1
        next
    }
    other = layer_of(target)
    checked++
    if (other in rank && rank[other] > rank[own]) {
        printf "%s:%s: layer %s includes %s of layer %s above it\n", $1, $2, own, target, other
        bad = 1
    }
}
END {
    if (!bad)
        printf "%d includes, none upward\n", checked
    exit bad
}' <<<"$includes"
