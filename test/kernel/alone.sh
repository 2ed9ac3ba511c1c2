#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: the engine linked alone needs what needs.list names and nothing else, and its text, without the debugging of
#       caches, stays below a limit.
#
#   alone.sh LIMIT_BYTES LIST OBJECT...   (LIMIT_BYTES 0: any size)
set -euo pipefail
limit=$1 list=$2
shift 2

out=$(mktemp)
trap 'rm -f "$out"' EXIT
ld -r -o "$out" "$@"

if ! diff <(grep -v '^#' "$list" | LC_ALL=C sort) <(nm -u --format=posix "$out" | awk '{ print $1 }' | LC_ALL=C sort); then
    echo "'<' listed but not needed, '>' needed but not listed in $list" >&2
    exit 1
fi
code=()
for object in "$@"; do
    [[ $object == */cache/debug* ]] || code+=("$object")
done
text=$(size -A "${code[@]}" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum }')
echo "$text bytes of text, $(nm -u "$out" | wc -l) functions and variables needed"
if ((limit && text >= limit)); then
    echo "not below $limit bytes" >&2
    exit 1
fi
