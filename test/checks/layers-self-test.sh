#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: the two layer checks find an upward include and an upward call in a made-up tree, and pass it without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$1" >&2
    exit 1
}

mkdir -p "$dir/src/low" "$dir/src/high"
cd "$dir"
echo 'int low_get(void);' >src/low/low.h
echo 'int high_get(void);' >src/high/high.h
printf '#include "low/low.h"\nint low_get(void) { return 1; }\n' >src/low/low.c
printf '#include "low/low.h"\nint high_get(void) { return low_get(); }\n' >src/high/high.c

archive() {
    cc -Isrc -c "src/$1/$1.c" -o "$1.o"
    rm -f "$1.a"
    ar rc "$1.a" "$1.o"
}
archive low
archive high
"$here/layers-include.sh" . low high >/dev/null || fail "a clean tree's includes were refused"
"$here/layers-link.sh" low=low.a high=high.a >/dev/null || fail "a clean tree's archives were refused"

printf '#include "low/low.h"\n#include "high/high.h"\nint low_get(void) { return high_get(); }\n' >src/low/low.c
archive low
! "$here/layers-include.sh" . low high >/dev/null || fail "an upward include was not found"
! "$here/layers-link.sh" low=low.a high=high.a >/dev/null || fail "an upward call was not found"
