#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: these objects linked alone need what a list names and nothing else, and their text, without the debugging of
#       caches, stays below a limit.
#
#   alone.sh COMPILER LIMIT_BYTES LIST OBJECT...   (LIMIT_BYTES 0: any size; the compiler says where ld, nm, size are)
set -euo pipefail
compiler=$1 limit=$2 list=$3
shift 3

tool() {
    local name=$1
    shift
    "$("$compiler" -print-prog-name="$name")" "$@"
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
tool ld -r -o "$out" "$@"

if ! diff <(grep -v '^#' "$list" | LC_ALL=C sort) <(tool nm -u --format=posix "$out" | awk '{ print $1 }' | LC_ALL=C sort); then
    echo "'<' listed but not needed, '>' needed but not listed in $list" >&2
    exit 1
fi
code=()
for object in "$@"; do
    [[ $object == */cache/debug* ]] || code+=("$object")
done
text=$(tool size -A "${code[@]}" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum }')
echo "$text bytes of text, $(tool nm -u "$out" | wc -l) functions and variables needed"
if ((limit && text >= limit)); then
    echo "not below $limit bytes" >&2
    exit 1
fi
