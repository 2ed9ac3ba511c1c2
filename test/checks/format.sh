#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: every C and C++ file is as clang-format leaves it (make format). Other releases of the tool than the tree's
#       lay out differently: skipped there.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(clang-format --version)
if [[ $version != *" version 14."* ]]; then
    echo "skipped: the tree follows clang-format 14, this is $version"
    exit 77
fi
bad=0
while read -r file; do
    clang-format --dry-run -Werror "$file" 2>/dev/null || { echo "$file"; bad=1; }
done < <(scripts/source-files.sh c)
exit $bad
