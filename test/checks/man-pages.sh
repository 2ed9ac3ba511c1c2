#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: the written manual pages name every function of their headers, and format without a warning. (slabkit.1 is made
#       from the table of options; cli_man looks at it.)
#
#   man-pages.sh ROOT
set -euo pipefail
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# names PAGE NAME...: each is there.
names() {
    local page=$1 name
    shift
    [[ $# -gt 3 ]] || { echo "$page: no names found for it: this checks nothing" >&2; bad=1; }
    for name; do
        if ! grep -qw -- "$name" "$page"; then
            echo "$page: $name is missing" >&2
            bad=1
        fi
    done
}

functions_of() {
    grep -oE '\b(kmem|slabkit)_[a-z_]+\(' "$1" | tr -d '(' | sort -u
}

macros_of() {
    sed -nE 's/^ *# *define ([A-Za-z_]+)([ (].*)/\1/p' "$1" | grep -vE '^SLABKIT|_H$' | sort -u
}

names man/kmem_cache.3 $(functions_of include/slabkit/kmem_cache.h) $(macros_of include/slabkit/kmem_cache.h)
names man/slabkit_compat.7 $(macros_of include/slabkit/compat/linux/names.h | sed 's/_node$//') \
    $(macros_of include/slabkit/compat/umem.h | grep -v NAMELEN) \
    $(grep -oE '^(class|template .* class) [a-z_]+' include/slabkit/slabkit.hpp | awk '{ print $NF }')

for page in man/*.[0-9]; do
    if command -v man >/dev/null && command -v groff >/dev/null; then
        LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" >/dev/null 2>"$work/said" || bad=1
    elif command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$page" >"$work/said" 2>&1 || bad=1
    else
        echo "no man, no mandoc" >&2
        [[ $bad == 0 ]] || exit 1
        exit 77
    fi
    if [[ -s $work/said ]]; then
        sed "s|^|$page: |" "$work/said" >&2
        bad=1
    fi
done
exit $bad
