#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: every source file begins with the licence line and says its role; public headers say what they offer.
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0
files=0
while read -r file; do
    files=$((files + 1))
    head=$(head -n 6 "$file")
    role='Role: '
    [[ $file != include/* ]] || role="${file#include/}: "
    if [[ $(head -n 2 "$file") != *'SPDX-License-Identifier: BSD-2-Clause'* ]]; then
        echo "$file: no licence line" >&2
        bad=1
    elif [[ $head != *"$role"* ]]; then
        echo "$file: '$role' missing from the head comment" >&2
        bad=1
    fi
done < <(scripts/source-files.sh head)
[[ $files -gt 0 ]] || bad=1
exit $bad
