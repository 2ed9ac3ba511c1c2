#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: a Linux kernel for the guest, from the distribution's package: prints the path of its image. What is in DIR
#       already is taken as it is; otherwise the package is downloaded (not installed) from wherever apt is set up
#       to look, backports included. SLABKIT_GUEST_KERNEL=IMAGE takes an image of one's own.
#
#   guest-kernel.sh newest|oldest DIR
#
# Failure: exit status 1, and on stderr what to do.
set -euo pipefail
which=${1:?newest or oldest missing}
dir=${2:?directory missing}/$which

if [[ -n ${SLABKIT_GUEST_KERNEL:-} ]]; then
    echo "$SLABKIT_GUEST_KERNEL"
    exit
fi
mkdir -p "$dir"

cached() {
    local image
    for image in "$dir"/vmlinuz-*; do
        [[ -s $image ]] && echo "$image" && return
    done
    return 1
}

# Kernels for virtual machines that apt knows, best first.
known() {
    local order=-V
    [[ $which == oldest ]] || order=-rV
    apt-cache pkgnames linux-image- | grep -E '^linux-image-[0-9].*-cloud-amd64(-unsigned)?$' | sort $order
}

# Names stay in apt's lists when their packages are gone, so the first ones may fail.
download() {
    local name tries=0
    for name in $(known); do
        (cd "$dir" && apt-get -q download "$name") >"$dir/log" 2>&1 && return
        ((++tries < 6)) || break
    done
    return 1
}

unpack() {
    local package
    for package in "$dir"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" |
            tar -xf - -C "$dir" --strip-components=2 --wildcards './boot/vmlinuz-*'
        rm -f "$package"
    done
}

cached && exit
rm -f "$dir"/*.deb
if ! command -v apt-get >/dev/null; then
    echo "guest-kernel: not a Debian system: SLABKIT_GUEST_KERNEL=IMAGE names a kernel to boot" >&2
    exit 1
fi
if ! download; then
    if [[ $(id -u) != 0 ]]; then
        echo "guest-kernel: no kernel package could be downloaded; this may help: sudo apt-get update" >&2
        exit 1
    fi
    apt-get -o DPkg::Lock::Timeout=300 -qq update >/dev/null 2>&1 || true
    download || { echo "guest-kernel: no kernel package could be downloaded:" >&2; tail -n 3 "$dir/log" >&2; exit 1; }
fi
unpack
cached
