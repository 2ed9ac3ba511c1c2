#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs the model and stress tests round after round, each with another seed, until the time is over.
#
#   soak.sh BUILD MINUTES
set -euo pipefail
build=${1:?build directory missing}
minutes=${2:?minutes missing}

end=$((SECONDS + minutes * 60))
seed=$(date +%s)
rounds=0
while ((SECONDS < end)); do
    seed=$((seed + 1))
    if ! out=$(SLABKIT_SEED=$seed ctest --test-dir "$build" -L '^(model|stress)$' --output-on-failure --no-tests=error 2>&1); then
        echo "$out"
        echo "soak: failed with SLABKIT_SEED=$seed after $rounds good rounds" >&2
        exit 1
    fi
    rounds=$((rounds + 1))
done
echo "soak: $rounds rounds passed"
