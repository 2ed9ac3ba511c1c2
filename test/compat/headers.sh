#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: every public header compiles on its own, first and twice, without a warning: C in each standard that it
#       promises, C++ in each, by every compiler that is there. The Linux headers refuse C++, in words.
#
#   headers.sh INCLUDE
set -euo pipefail
include=$1
bad=0
checked=0

# C++: a function and a struct of one name, as in stat(2), are C's way; flexible members too.
c_only='-Wpedantic -Wshadow'

# compiles COMPILER STANDARD LANGUAGE HEADER
compiles() {
    local text="#include <$4>
#include <$4>
extern int something;
"
    local more=()
    [[ $3 != c ]] || read -ra more <<<"$c_only"
    checked=$((checked + 1))
    if ! "$1" "-std=$2" -x "$3" -fsyntax-only -Wall -Wextra "${more[@]}" -Werror -I"$include" - <<<"$text"; then
        echo "$1 -std=$2: $4" >&2
        bad=1
    fi
}

cd "$include"
c_headers=$(find slabkit -name '*.h' ! -path '*/linux/names.h' | sort)
both_headers=$(grep -v compat/linux <<<"$c_headers")
for cc in gcc clang; do
    command -v "$cc" >/dev/null || continue
    for header in $c_headers; do
        for standard in c11 c17 gnu11 gnu17; do
            compiles "$cc" "$standard" c "$header"
        done
    done
done
for cxx in g++ clang++; do
    command -v "$cxx" >/dev/null || continue
    for standard in c++17 c++20; do
        for header in $both_headers slabkit/slabkit.hpp; do
            compiles "$cxx" "$standard" c++ "$header"
        done
    done
    if said=$("$cxx" -x c++ -fsyntax-only -I"$include" - <<<'#include <slabkit/compat/linux/slab.h>' 2>&1) ||
        [[ $said != *"C only"* ]]; then
        echo "$cxx: linux/slab.h as C++ is not refused in words" >&2
        bad=1
    fi
done
[[ $checked -gt 0 ]] || exit 77
exit $bad
