#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs a kernel under the emulator and turns its end into an exit status. Exit status 77: no emulator here
#       (1 in continuous integration, where CI is set).
#
#   run.sh KERNEL [-c CPUS] [-m MIB] [-n NODES] [-o KERNEL_OPTIONS] [-s] [-i] [-t SECONDS] [-f TEXT] [-- ARGUMENT...]
#
# -s: an instruction at a time, so that interrupts hit everywhere. -i: one CPU after the other, by counted instructions:
# the same run each time. -f: it must fail, and say TEXT.
# QEMU_ACCEL=kvm: on the machine itself instead of emulated.
set -euo pipefail

kernel=$1
shift
cpus=8 memory=128 nodes=1 options= single= counted= seconds=250 must_fail=
while getopts c:m:n:o:sit:f: opt; do
    case $opt in
    c) cpus=$OPTARG ;;
    m) memory=$OPTARG ;;
    n) nodes=$OPTARG ;;
    o) options=$OPTARG ;;
    s) single=1 ;;
    i) counted=1 ;;
    t) seconds=$OPTARG ;;
    f) must_fail=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

# The machine is the ELF file's.
case $(od -An -tu2 -j18 -N2 "$kernel" | tr -d ' ') in
62)
    qemu=qemu-system-x86_64 package=qemu-system-x86
    machine=(-device isa-debug-exit,iobase=0xf4,iosize=0x04)
    ;;
183)
    qemu=qemu-system-aarch64 package=qemu-system-arm
    machine=(-machine virt,gic-version=3 -cpu cortex-a57 -semihosting-config "enable=on,target=native")
    ;;
*)
    echo "$kernel: no kernel of a known machine" >&2
    exit 1
    ;;
esac
if ! command -v "$qemu" >/dev/null; then
    echo "$qemu is missing (Debian: $package): the kernel was NOT tested" >&2
    [[ -z ${CI:-} ]] || exit 1
    exit 77
fi

accel=${QEMU_ACCEL:-tcg,thread=multi}
args=()
if [[ -n $single ]]; then
    case $("$qemu" --version | sed -n 's/.*version \([0-9]*\)\.\([0-9]*\).*/\1\2/p') in
    [0-7][0-9] | 80) args+=(-singlestep) ;;
    *) accel+=,one-insn-per-tb=on ;;
    esac
fi
if [[ -n $counted ]]; then
    accel=tcg,thread=single
    args+=(-icount "shift=0,sleep=off")
fi
if [[ $nodes -gt 1 ]]; then
    for ((i = 0; i < nodes; i++)); do
        args+=(-object "memory-backend-ram,id=m$i,size=$((memory / nodes))M")
        args+=(-numa "node,nodeid=$i,memdev=m$i,cpus=$((i * cpus / nodes))-$(((i + 1) * cpus / nodes - 1))")
    done
fi

out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
timeout -k 5 "$seconds" "$qemu" -accel "$accel" -nodefaults -display none -no-reboot -serial stdio \
    "${machine[@]}" -m "$memory" -smp "$cpus" "${args[@]}" \
    -kernel "$kernel" -append "$options -- $*" </dev/null >"$out" 2>&1 || status=$?
cat "$out"

# The kernel ends with (32 + code) * 2 + 1; everything else is the emulator's own status.
if ((status == 124 || status == 137)); then
    echo "no end after $seconds seconds" >&2
    exit 1
elif ((status < 65 || status % 2 == 0)); then
    echo "the emulator ended with status $status" >&2
    exit 1
fi
code=$(((status - 65) / 2))
if [[ -n $must_fail ]]; then
    if ((code == 0)); then
        echo "this must fail, and did not" >&2
        exit 1
    fi
    grep -qF -e "$must_fail" "$out" || { echo "it failed without saying: $must_fail" >&2; exit 1; }
    exit 0
fi
exit $code
