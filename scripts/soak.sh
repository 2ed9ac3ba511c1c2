#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs the model test and every pattern of the stress oracle on the drop-in library, round after round with
#       other seeds, on restartable sequences and on locks in turn, until the time is over.
#
#   soak.sh BUILD MINUTES
set -euo pipefail
build=${1:?build directory missing}
minutes=${2:?minutes missing}
library=$(readlink -f "$build/lib/libslabkit-malloc.so")
turn_seconds=20

model=$build/test/model_test
stress=$build/test/stress
[[ -x $model && -x $stress ]] || { echo "soak: no $model or no $stress" >&2; exit 1; }
patterns=$("$stress" --help 2>&1 | sed -n 's/^patterns: //p') || true
[[ -n $patterns ]] || { echo "soak: $stress names no pattern" >&2; exit 1; }

end=$((SECONDS + minutes * 60))
seed=$(date +%s)
turns=0

# turn SLOTS PROGRAM ARG...
turn() {
    local slots=$1 present=any options
    shift
    ((SECONDS < end)) || return 0
    [[ $slots == auto ]] || present=$slots
    seed=$((seed + 1000))
    options="slots=$slots,verify=on"
    if ! env LD_PRELOAD="$library" SLABKIT_OPTIONS="$options" TEST_SLABKIT="$present" \
        "$@" --seed "$seed" --seconds "$turn_seconds"; then
        echo "soak: failed after $turns good turns: LD_PRELOAD=$library SLABKIT_OPTIONS=$options $* --seed $seed" >&2
        exit 1
    fi
    turns=$((turns + 1))
}

while ((SECONDS < end)); do
    for slots in auto portable; do
        turn "$slots" "$model"
        for pattern in $patterns; do
            turn "$slots" "$stress" --pattern "$pattern"
        done
    done
done
echo "soak: $turns turns of $turn_seconds s passed"
