#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Role: the model test must find what it is for: every fault it can inject is detected, shrunk to
#       at most a few operations, and the printed sequence fails again when replayed with the
#       fault and passes without it.
# usage: check_break.sh MODEL-PROGRAM [PRELOAD]
set -eu
model=$1 preload=${2-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "check_break: $*" >&2; exit 1; }
model_run() { env ${preload:+LD_PRELOAD="$preload"} "$model" "$@"; }

for fault in 1 2 3 4; do
    least=$work/least-$fault
    status=0
    model_run --break "$fault" --sequences 5 --ops 2000 >"$least" 2>"$work/err" || status=$?
    [ "$status" = 1 ] || die "fault $fault: status $status, not 1"
    grep -q '^FAILED: seed' "$work/err" || die "fault $fault: no seed was printed"
    count=$(grep -vc '^#' "$least")
    [ "$count" -ge 1 ] && [ "$count" -le 4 ] ||
        die "fault $fault: shrunk to $count operations: $(cat "$least")"
    status=0
    model_run --break "$fault" --replay "$least" 2>/dev/null || status=$?
    [ "$status" = 1 ] || die "fault $fault: its least sequence does not fail again"
    model_run --replay "$least" || die "fault $fault: its least sequence fails without the fault"
done
