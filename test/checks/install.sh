#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: what is installed can be used from elsewhere: by pkg-config, by find_package, shared and static, and the
#       installed tool runs.
#
#   install.sh BUILD CC
set -euo pipefail
build=$1 cc=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix

cmake --install "$build" --prefix "$prefix" >/dev/null
pc_dir=$(dirname "$(find "$prefix" -name slabkit.pc)")
lib_dir=$(dirname "$pc_dir")
export PKG_CONFIG_PATH=$pc_dir LD_LIBRARY_PATH=$lib_dir

# by_pkg_config PACKAGE MACRO
by_pkg_config() {
    local static flags
    read -ra flags < <(pkg-config --cflags --libs "$1")
    "$cc" -D"$2" "$here/consumer.c" "${flags[@]}" -o "$dir/by-pkg-config"
    [[ $(ldd "$dir/by-pkg-config") == *"$lib_dir/lib$1.so.0"* ]] || { echo "$1: not linked" >&2; exit 1; }
    "$dir/by-pkg-config"

    static=$lib_dir/lib$1.a
    read -ra flags < <(pkg-config --cflags "$1")
    "$cc" -D"$2" "${flags[@]}" "$here/consumer.c" "$static" -pthread -o "$dir/by-archive"
    "$dir/by-archive"
}

by_find_package() {
    cmake -S "$here/consumer" -B "$dir/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" >/dev/null
    cmake --build "$dir/consumer" >/dev/null
    (cd "$dir/consumer" && for program in ./use-*; do "$program"; done)
}

by_pkg_config slabkit USE_ENGINE
[[ ! -e $pc_dir/../libslabkit-malloc.so ]] || by_pkg_config slabkit-malloc USE_MALLOC
by_find_package
[[ ! -x $prefix/bin/slabkit ]] || "$prefix/bin/slabkit" run -- "$prefix/bin/slabkit" version
