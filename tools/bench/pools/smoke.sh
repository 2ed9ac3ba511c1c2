#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Role: slabkit-pools from outside: a row for every pool it was built with, and nothing on stderr; wrong usage.
# Usage: smoke.sh SLABKIT-POOLS
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "pools: $*" >&2
    cat "$dir/out" "$dir/err" >&2
    exit 1
}

"$1" 0.001 >"$dir/out" 2>"$dir/err" || fail "status $?"
[ ! -s "$dir/err" ] || fail "a pool takes no part"
for pool in 'slabkit kmem_cache' 'libc malloc' 'DPDK rte_mempool' 'APR pool' 'talloc'; do
    # What was not built in is not in the program's text either.
    grep -aq "$pool" "$1" || continue
    grep -Eq "^$pool  *[0-9.]+ " "$dir/out" || fail "no row for $pool"
done
grep -Eq '^slabkit kmem_cache  *[0-9.]+  *[0-9.]+  *-  *-  ' "$dir/out" || fail "slabkit's row is not as expected"
for arguments in '0' '-1' 'x' '1 1'; do
    # shellcheck disable=SC2086
    "$1" $arguments >"$dir/out" 2>"$dir/err"
    [ $? -eq 2 ] || fail "'$arguments' is taken"
done
exit 0
