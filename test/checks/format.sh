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
if ! complaints=$(scripts/source-files.sh c | xargs clang-format --dry-run -Werror 2>&1); then
    grep -oE '^[^ :]+:[0-9]+:[0-9]+: error' <<<"$complaints" | cut -d: -f1 | sort -u || echo "$complaints"
    exit 1
fi
