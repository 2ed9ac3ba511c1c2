#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: no layer's archive needs a symbol that only a higher layer defines. A use of malloc below front is such a
#       symbol too; of _exit not, which the C library has as well, and means the same.
#
#   layers-link.sh LAYER=ARCHIVE...   (bottom to top)
set -euo pipefail

for pair in "$@"; do
    nm -g --format=posix "${pair#*=}" | awk -v layer="${pair%%=*}" 'NF >= 2 { print layer, $1, $2 }'
done | awk '
!($1 in rank) { rank[$1] = ++layers }
$2 ~ /^_[eE]xit$/ { next }
$3 ~ /^[UwvX]$/ { needs[$1 " " $2] = 1; next }
!($2 in lowest) { lowest[$2] = $1 }
END {
    for (pair in needs) {
        split(pair, p, " ")
        if (!(p[2] in lowest))
            continue
        checked++
        if (rank[lowest[p[2]]] > rank[p[1]]) {
            printf "layer %s needs %s of layer %s above it\n", p[1], p[2], lowest[p[2]]
            bad = 1
        }
    }
    if (!checked) {
        print "no symbol between layers found: this checks nothing"
        exit 1
    }
    if (!bad)
        printf "%d symbols needed between %d layers, none upward\n", checked, layers
    exit bad
}'
