#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: a shared library exports what its lists say, no more and no less, and needs nothing but libc.
#
#   exports.sh LIBRARY MAP [LIST]
set -euo pipefail
library=$1 map=$2 list=${3:-}
. "$(dirname "$0")/names.sh"

expected() {
    awk '/^[A-Za-z_0-9.]+ *\{/ { node = $1 } /^}/ { node = "" }
         node != "" && /^ +[A-Za-z_0-9]+;/ { sub(/;.*/, ""); print $1 "@@" node }' "$map"
    [[ -z $list ]] || names_of "$list"
}

exported() {
    nm -D --defined-only --format=posix --with-symbol-versions "$library" | awk '$2 != "A" { print $1 }'
}

[[ -n $(expected) ]] || { echo "no name in the lists" >&2; exit 1; }
if ! diff <(expected | LC_ALL=C sort) <(exported | LC_ALL=C sort); then
    echo "$library: '<' listed but not exported, '>' exported but not listed" >&2
    exit 1
fi

needed=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so|ld-linux)' || true)
if [[ -n $needed ]]; then
    echo "$library needs more than libc:" "$needed" >&2
    exit 1
fi

soname=$(readelf -dW "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
if [[ $soname != "$(basename "${library%%.so*}").so.0" ]]; then
    echo "$library: SONAME is '$soname'" >&2
    exit 1
fi
grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$(readelf -dW "$library")" || { echo "$library: not linked with -z now" >&2; exit 1; }
grep -q NODELETE <<<"$(readelf -dW "$library")" || { echo "$library: not linked with -z nodelete" >&2; exit 1; }
grep -q GNU_RELRO <<<"$(readelf -lW "$library")" || { echo "$library: not linked with -z relro" >&2; exit 1; }
