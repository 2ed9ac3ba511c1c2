#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: makes an archive's hidden names local to it, so that they meet no name of a program: its objects become one.
#
#   localize.sh ARCHIVE LD OBJCOPY AR
set -euo pipefail
archive=$1 ld=$2 objcopy=$3 ar=$4

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
object=$dir/$(basename "${archive%.a}").o
"$ld" -r -o "$object" --whole-archive "$archive"
"$objcopy" --localize-hidden "$object"
rm "$archive"
"$ar" rcs "$archive" "$object"
