#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: slabkit.1 is complete, and each page formats without a warning. Skipped where there is no formatter.
. "$(dirname "$0")/lib.sh"
: >"$work/out"
: >"$work/err"
page=$build/share/man/man1/slabkit.1

while read -r key; do
    has "slabkit.1" "$page" ".BR $key ="
done < <("$slabkit" help options | sed -n 's/^  \([a-z_]*\)=.*/\1/p')
lacks "slabkit.1" "$page" "@"

pages=("$page" "$(dirname "$0")"/../../man/*.[0-9])
for page in "${pages[@]}"; do
    if command -v man >/dev/null && command -v groff >/dev/null; then
        LC_ALL=C.UTF-8 MANWIDTH=80 run man --warnings -E UTF-8 -l -Tutf8 -Z "$page"
    elif command -v mandoc >/dev/null; then
        run mandoc -T lint -W warning "$page"
    else
        echo "no man, no mandoc" >&2
        exit 77
    fi
    is "format $(basename "$page"): status" "$status" 0
    empty "format $(basename "$page")" "$work/err"
done

finish
