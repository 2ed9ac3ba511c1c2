#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Role: the stress test under valgrind, on slabkit's malloc (valgrind's own stays away): no error is
#       reported, and the slots are portable, because valgrind has no restartable sequences.
# usage: valgrind.sh VALGRIND STRESS-PROGRAM
set -eu
valgrind=$1 stress=$2
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for pattern in multi birthdeath; do
    TEST_SLABKIT=portable "$valgrind" -q --error-exitcode=9 --soname-synonyms=somalloc=nouserintercepts \
        "$stress" -v --pattern "$pattern" --threads 4 --ops 1000 >"$out" 2>&1 || {
        status=$?
        cat "$out"
        exit "$status"
    }
    if grep '^==' "$out"; then
        echo "valgrind says something" >&2
        exit 1
    fi
    grep '^slots portable' "$out"
done
