#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: lists the files of the tree, tracked or not yet, but not what is ignored or built.
#
#   source-files.sh c     C and C++ files that clang-format keeps
#   source-files.sh head  all files that must begin with a head comment
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
c) names='\.(c|h|hpp|cc|hh)$' ;;
head) names='\.(c|h|hpp|cc|hh|S|def|pml|sh|pl|py|awk|cmake|map|list|table)$' ;;
*)
    echo "usage: $0 c|head" >&2
    exit 2
    ;;
esac

if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -co --exclude-standard
else
    find . -type d -exec test -e '{}/CMakeCache.txt' \; -prune -o -type f -print | sed 's|^\./||'
fi | grep -E "$names" | while read -r file; do
    [[ ! -e $file ]] || echo "$file"
done
