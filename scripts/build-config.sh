#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: builds one other configuration in ROOT/CONFIG and runs its tests there. Quiet unless something fails.
#       Exit status 77: this machine cannot build it.
#
#   build-config.sh clang|debug|asan|tsan|aarch64|kernel-aarch64[-short] [ROOT]
set -euo pipefail

config=${1:?configuration missing}
source_dir=$(cd "$(dirname "$0")/.." && pwd)
dir=${2:-$source_dir/build/config}/${config%-short}
jobs=${JOBS:-$(nproc)}
labels=(-LE '^(real|check|config|guest)$')
wrap=()
options=()
target=all
cross="$source_dir/cmake/aarch64-linux-gnu.cmake"

# need COMMAND PACKAGE
need() {
    if ! command -v "$1" >/dev/null; then
        echo "$1 is missing (Debian: $2): $config was NOT tested" >&2
        [[ -z ${CI:-} ]] || exit 1
        exit 77
    fi
}

case $config in
*aarch64*)
    if [[ $(uname -m) != x86_64 ]]; then
        echo "not an x86-64 machine: nothing to cross compile from"
        exit 77
    fi
    ;;
esac

case $config in
clang)
    labels=(-LE '^(real|check|config|guest|kernel)$')
    options=(-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++)
    ;;
debug)
    options=(-DSLABKIT_DEBUG=ON)
    labels=(-LE '^(real|check|config|guest|hitpath)$')
    ;;
asan)
    options=("-DSLABKIT_SANITIZE=address,undefined" -DSLABKIT_DEBUG=ON -DSLABKIT_TEST_SCALE=4)
    ;;
tsan)
    options=(-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DSLABKIT_SANITIZE=thread
             -DSLABKIT_DEBUG=ON -DSLABKIT_TEST_SCALE=8)
    ;;
aarch64)
    options=(-DCMAKE_TOOLCHAIN_FILE="$cross" -DSLABKIT_TEST_SCALE=8)
    labels=(-L '^layer$' -LE '^native$')
    ;;
kernel-aarch64*)
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need qemu-system-aarch64 qemu-system-arm
    options=(-DCMAKE_TOOLCHAIN_FILE="$cross" -DSLABKIT_KERNEL=ON)
    target=kernel_all
    labels=(-L '^kernel$')
    [[ $config != *-short ]] || labels+=(-LE '^long$')
    ;;
*)
    echo "$0: unknown configuration '$config'" >&2
    exit 2
    ;;
esac

# The sanitizers' shadow wants addresses that high entropy may take.
case $config in
asan | tsan)
    if setarch "$(uname -m)" -R true 2>/dev/null; then
        wrap=(setarch "$(uname -m)" -R)
    fi
    ;;
esac

mkdir -p "$dir"
log=$dir/build-config.log
quietly() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log"
        echo "$config: failed: $*" >&2
        exit 1
    fi
}

quietly cmake -S "$source_dir" -B "$dir" -DSLABKIT_TESTS=ON -DSLABKIT_KERNEL=OFF -DSLABKIT_CONFIG_TESTS=OFF "${options[@]}"
quietly cmake --build "$dir" -j"$jobs" --target "$target"
quietly "${wrap[@]}" ctest --test-dir "$dir" -j"$jobs" "${labels[@]}" --output-on-failure --no-tests=error
grep 'tests passed' "$log"
