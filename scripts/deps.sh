#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: makes sure that the Debian packages for a task are installed: installs them when root, else prints the
#       command that does and exits 1.
#
#   deps.sh run|test|guest|kernel|bench|pools
#
# A package is written  name[|other-name...][?command]:  any of the names will do (releases differ), and
# a command found in PATH makes it unnecessary.
set -euo pipefail

build='cmake?cmake make?make gcc?cc libc6-dev libjansson-dev pkg-config|pkgconf?pkg-config'
run="$build time"
bench="$build time libmimalloc2.0|libmimalloc3 libjemalloc2 libtcmalloc-minimal4|libtcmalloc-minimal4t64
    python3?python3 redis-server redis-tools sqlite3"
guest='qemu-system-x86?qemu-system-x86_64 cpio?cpio'
cross_build='gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
cross="$cross_build qemu-user"
kernel="$build gcc libcmocka-dev binutils python3?python3 qemu-system-arm?qemu-system-aarch64"
[[ $(uname -m) != x86_64 ]] || kernel+=" qemu-system-x86?qemu-system-x86_64 $cross_build"
test="$bench gcc g++ clang libclang-rt-dev|libclang-rt-14-dev clang-format?clang-format libcmocka-dev
    valgrind spin relacy-dev liburcu-dev binutils perl git bash util-linux stress-ng nodejs?node"

task=${1:-}
case $task in
run) wanted=$run ;;
bench) wanted=$bench ;;
kernel) wanted=$kernel ;;
test)
    wanted="$test $kernel"
    [[ $(uname -m) != x86_64 ]] || wanted+=" $cross $guest"
    ;;
guest) wanted="$build libcmocka-dev $guest" ;;
pools) wanted="$build libapr1-dev libtalloc-dev libdpdk-dev" ;;
*)
    echo "usage: $0 run|test|guest|kernel|bench|pools" >&2
    exit 2
    ;;
esac

have_command() {
    command -v "$1" >/dev/null
}

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# satisfied NAMES: one of name|name is installed.
satisfied() {
    local name
    for name in ${1//|/ }; do
        is_installed "$name" && return
    done
    return 1
}

# The first of name|name that apt can install; nothing if none is known.
installable() {
    local name
    for name in ${1//|/ }; do
        if [[ $(apt-cache show --no-all-versions "$name" 2>/dev/null) == *Filename:* ]]; then
            echo "$name"
            return
        fi
    done
}

missing=()
for entry in $wanted; do
    names=${entry%%\?*}
    by_command=${entry#"$names"}
    if [[ -n $by_command ]] && have_command "${by_command#\?}"; then
        continue
    fi
    if have_command dpkg-query && satisfied "$names"; then
        continue
    fi
    missing+=("$names")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if ! have_command apt-get; then
    echo "slabkit: this is not a Debian system; going on without a check for: ${missing[*]}" >&2
    exit 0
fi

resolve() {
    local names name
    packages=() unknown=()
    for names in "${missing[@]}"; do
        name=$(installable "$names")
        if [[ -n $name ]]; then
            packages+=("$name")
        else
            unknown+=("${names%%|*}")
        fi
    done
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@"
}

resolve
if [[ $(id -u) != 0 ]]; then
    install=(sudo apt-get install -y --no-install-recommends "${packages[@]}" "${unknown[@]}")
    echo "slabkit: packages are missing for 'make $task'. Install them with" >&2
    echo "  sudo apt-get update && ${install[*]}" >&2
    exit 1
fi

if [[ ${#unknown[@]} -gt 0 ]]; then
    apt update
    resolve
fi
if [[ ${#unknown[@]} -gt 0 ]]; then
    echo "slabkit: packages missing for 'make $task' and unknown to apt: ${unknown[*]}" >&2
    exit 1
fi
echo "slabkit: installing ${packages[*]}" >&2
apt install -y --no-install-recommends "${packages[@]}" >/dev/null ||
    { apt update && apt install -y --no-install-recommends "${packages[@]}" >/dev/null; }
