#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: an archive defines for its users what the lists of exported names say, no more and no less.
#
#   archive.sh ARCHIVE MAP [LIST]
set -euo pipefail
archive=$1 map=$2 list=${3:-}
. "$(dirname "$0")/names.sh"

expected() {
    awk '/^SLABKIT_[0-9.]+ *\{/ { on = 1 } /^}/ { on = 0 }
         on && /^ +[A-Za-z_0-9]+;/ { sub(/;.*/, ""); print $1 }' "$map"
    [[ -z $list ]] || names_of "$list"
}

[[ -n $(expected) ]] || { echo "no name in the lists" >&2; exit 1; }
if ! diff <(expected | LC_ALL=C sort) <(nm -g --defined-only --format=posix "$archive" 2>/dev/null |
        awk 'NF >= 2 { print $1 }' | LC_ALL=C sort); then
    echo "$archive: '<' listed but not defined, '>' defined but not listed" >&2
    exit 1
fi
