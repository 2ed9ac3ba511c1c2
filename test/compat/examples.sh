#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: each example builds by the command that its head says, against an installed slabkit, and runs; so do all of
#       them as a project of their own.
#
#   examples.sh BUILD EXAMPLES CC
set -euo pipefail
build=$1 examples=$2 cc=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

command -v pkg-config >/dev/null || exit 77
cmake --install "$build" --prefix "$dir/prefix" >/dev/null
pc_dir=$(dirname "$(find "$dir/prefix" -name slabkit.pc)")
export PKG_CONFIG_PATH=$pc_dir LD_LIBRARY_PATH=${pc_dir%/*}
ran=0

mkdir "$dir/bin"
printf '#!/bin/sh\nexec %q "$@"\n' "$cc" >"$dir/bin/cc"
chmod +x "$dir/bin/cc"
cp "$examples"/* "$dir"
cd "$dir"
for source in *.c; do
    command=$(sed -n 's/^ \*     \(cc .*\)/\1/p' "$source")
    [[ -n $command ]] || { echo "$source: its head has no command" >&2; exit 1; }
    PATH=$dir/bin:$PATH bash -c "$command"
    "./${source%.c}"
    ran=$((ran + 1))
done
[[ $ran -gt 0 ]]

cmake -S "$examples" -B project -DCMAKE_PREFIX_PATH="$dir/prefix" -DCMAKE_C_COMPILER="$cc" >/dev/null
cmake --build project >/dev/null
for source in *.c; do
    "project/${source%.c}"
done
