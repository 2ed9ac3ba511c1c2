#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: boots Linux under QEMU, on CPUs and nodes that this machine does not have, with the tests in its initial
#       file system, and ends as they do: 0 only if every program of the list ran and none failed.
#       Exit status 77: this machine cannot run a guest; where CI is set in the environment that is a failure.
#
#   run.sh short|long BUILD    the tests: what `make test` and `make guest-test` run
#   run.sh soak BUILD          the long form's lists with ten times the operations: hours
#   run.sh broken BUILD        passes if programs that fail on purpose make a guest fail, each with its line
#
# Owns: BUILD/guest: kernel images, initial file systems, serial logs.
# Why: emulation (TCG) always: the clock and the instructions of a host's KVM may be anybody's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
form=${1:?short, long, soak or broken}
build=$(cd "${2:?build directory missing}" && pwd)
work=$build/guest
effort=1 # operations of the long lists are multiplied by it, and so is the time they have
[[ $form != soak ]] || effort=10
passed=33 # 2 * GUEST_PASSED + 1, of init.c

die() {
    echo "guest: $*" >&2
    exit 1
}

cannot() {
    echo "guest: cannot run here: $*" >&2
    [[ -z ${CI:-} ]] || die "and this is continuous integration, where it must"
    exit 77
}

# ---- the initial file system -------------------------------------------------------------------------------

libraries_of() {
    ldd "$@" | grep -o '/[^ :]*\.so[^ :]*\( \|$\)' | sort -u
}

# initrd FILE LIST: all programs that LIST names by their file name, with their libraries.
initrd() {
    local file=$1 list=$2 root=$1.root programs=() name
    for name in $(tr ' ' '\n' <"$list" | sort -u); do
        [[ ! -f $build/test/$name ]] || programs+=("$build/test/$name")
    done
    rm -rf "$root"
    mkdir -p "$root/lib" "$root/lib64"
    cp "$build/test/guest_init" "$root/init"
    cp "${programs[@]}" "$root"
    # shellcheck disable=SC2046
    cp -L $(libraries_of "${programs[@]}" "$preload") "$preload" "$root/lib"
    mv "$root"/lib/ld-linux* "$root/lib64"
    cp "$list" "$root/tests"
    (cd "$root" && find . | cpio --quiet -o -H newc) >"$file"
    rm -rf "$root"
}

# ---- the lists ---------------------------------------------------------------------------------------------

# The mode of slots that the design wants on so many nodes, and the word that marks what needs it.
mode_of() {
    [[ $1 == 1 ]] && echo rseq-cid || echo rseq-cpu
}

# stress MODE PATTERN [ARG...]: MODE is what must have been chosen; slots=MODE asks for it.
stress() {
    local mode=$1 pattern=$2 cid=''
    shift 2
    [[ ${mode#slots=} != rseq-cid ]] || cid=cid
    echo $((600 * effort)) $cid LD_PRELOAD=/lib/libslabkit-malloc.so TEST_SLABKIT="${mode#slots=}" \
        SLABKIT_OPTIONS="slots=$([[ $mode == slots=* ]] && echo "${mode#slots=}" || echo auto),verify=on" \
        stress -v --pattern "$pattern" "$@"
}

# list_short NODES [LAYOUT]: what takes a minute.
list_short() {
    local nodes=$1 layout=${2:-even} mode
    mode=$(mode_of "$nodes")
    echo 120 guest_nodes
    echo 120 guest_home
    echo 120 pcpu_threads
    echo 120 test_rseq_storm
    stress "$mode" multi --ops 2000
    [[ $nodes != 1 ]] || return 0
    echo 120 guest_home auto depots
    stress "$mode" prodcons-n --ops 3000
    echo 120 pcpu_single
    [[ $layout == mixed ]] || echo 120 pcpu_slots rseq-cpu # CPUs 0 and 1 share slabs
    echo 120 pcpu_give_back
    echo 120 cid pcpu_threads rseq-cid
    stress "$mode" signals --ops 500
    stress "$mode" fork --threads 4 --ops 200
    stress slots=rseq-cid multi --ops 2000
}

list_long() {
    local nodes=$1 name mode pattern
    echo 600 guest_nodes
    echo 600 guest_home
    echo 600 guest_home auto depots
    for name in pcpu_{single,give_back,nodes,budget,threads,failures,fork} test_{slots,slots_threads,rseq_mode}; do
        echo 600 "$name"
        echo 600 "$name" portable
        echo 600 "$name" rseq-cpu
        echo 600 cid "$name" rseq-cid
    done
    echo 600 pcpu_slots
    echo 600 pcpu_slots rseq-cpu
    echo 600 test_rseq_sections
    echo 600 test_rseq_start
    for name in test_rseq_storm test_rseq_abort; do
        echo 600 "$name"
        echo 600 "$name" rseq-cpu
        echo 600 cid "$name" rseq-cid
        echo 600 GLIBC_TUNABLES=glibc.pthread.rseq=0 "$name" rseq-cpu
    done
    for pattern in multi prodcons prodcons-n churn birthdeath fork signals; do
        for mode in "$(mode_of "$nodes")" slots=rseq-cpu slots=rseq-cid slots=portable; do
            stress "$mode" "$pattern" --ops $((5000 * effort))
        done
    done
}

list_broken() {
    echo 60 guest_broken ends
    echo 60 guest_broken fails
    echo 60 guest_broken aborts
    echo 2 guest_broken hangs
    echo 60 guest_broken skips
    echo 60 no_such_program
}

# ---- a machine ---------------------------------------------------------------------------------------------

# nodes_even NODES CPUS: neighbours share a node. nodes_mixed: CPU i is on node i % NODES.
# nodes_memory: like even, and one more node that has memory only.
memory=320
node_option() {
    echo "-object memory-backend-ram,id=m$1,size=${memory}M -numa node,nodeid=$1,memdev=m$1$2"
}

nodes_even() {
    local i
    for ((i = 0; i < $1; i++)); do
        node_option "$i" ",cpus=$((i * $2 / $1))-$(((i + 1) * $2 / $1 - 1))"
    done
}

nodes_mixed() {
    local i cpu
    for ((i = 0; i < $1; i++)); do
        node_option "$i" "$(for ((cpu = i; cpu < $2; cpu += $1)); do printf ',cpus=%s' "$cpu"; done)"
    done
}

nodes_memory() {
    nodes_even $(($1 - 1)) "$2"
    node_option $(($1 - 1)) ''
}

# Every instruction on its own, so that an interrupt may come between any two.
one_by_one() {
    local version
    version=$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p')
    if [[ $(printf '%s\n' 8.1 "$version" | sort -V | head -n 1) == 8.1 ]]; then
        echo ,one-insn-per-tb=on
    else
        echo ' -singlestep'
    fi
}

# machine LOG KERNEL INITRD LAYOUT NODES CPUS SECONDS [ACCEL]: QEMU's exit status.
# Without cx16: QEMU 7.2 leaves garbage in the flags after it.
machine() {
    local log=$1 kernel=$2 initrd=$3 layout=$4 nodes=$5 cpus=$6 seconds=$7 accel=${8:-} sockets=$5
    [[ $layout == even ]] || sockets=$cpus
    # shellcheck disable=SC2046,SC2086
    timeout -k 5 "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
        -M q35 -accel tcg,thread=multi$accel -cpu qemu64,-cx16 -smp "$cpus,sockets=$sockets" \
        -m $((nodes * memory))M $("nodes_$layout" "$nodes" "$cpus") \
        -serial "file:$log" -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$kernel" -initrd "$initrd" \
        -append "console=ttyS0 quiet panic=-1 GUEST_NODES=$nodes GUEST_CPUS=$cpus" </dev/null
}

# guest NAME KERNEL LAYOUT NODES CPUS SECONDS [ACCEL]: boots with the list on stdin. Its log says the rest.
# A kernel that patches its own code while it boots may die of that under emulation (one boot in thirty, "Oops:
# int3"), before any of our programs runs: it is booted again, and this said. No test is run twice.
guest() {
    local name=$1 kernel=$2 seconds=$6 status=0 try log=$work/$1.log
    cat >"$work/$name.list"
    initrd "$work/$name.initrd" "$work/$name.list"
    for ((try = 1; try <= 3; try++)); do
        status=0
        : >"$log"
        machine "$log" "$kernel" "$work/$name.initrd" "${@:3}" >"$work/$name.qemu" 2>&1 || status=$?
        grep -q '^guest: Linux ' "$log" && break
        echo "guest: $name: boot $try of 3 did not come to the tests" >&2
    done
    rm -f "$work/$name.initrd"
    tr -d '\r' <"$log" >"$log.tmp" && mv "$log.tmp" "$log"
    if ! grep -q '^guest: Linux ' "$log"; then
        tail -n 20 "$work/$name.qemu" "$log" >&2
        die "$name: the guest did not boot ($(basename "$kernel"), status $status)"
    fi
    sed -n "s/^guest: Linux/guest: $name: Linux/p" "$log"
    [[ $status != 124 ]] || echo "guest: FAILED: $name: not done in $seconds s" >>"$log"
    return "$status"
}

# must_pass NAME ...: as guest; the list must have been run to its end.
must_pass() {
    local status=0 wanted begin=$SECONDS log=$work/$1.log
    guest "$@" || status=$?
    wanted=$(grep -c '^[0-9]' "$work/$1.list")
    if [[ $status != "$passed" ]] || grep -q '^guest: FAILED' "$log"; then
        cat "$log" >&2
        echo >&2
        grep '^guest: FAILED' "$log" >&2 || true
        die "$1: failed with status $status; the log is $log"
    fi
    [[ $(grep -c '^guest: \(ok\|left out\)' "$log") == "$wanted" ]] || die "$1: not all $wanted lines were run: $log"
    grep -E '^guest: left out| went home | aborts$' "$log" | sed 's/^guest: //; s/^/  /' | uniq
    echo "guest: $1: all $wanted passed, $((SECONDS - begin)) s"
}

# ---- forms -------------------------------------------------------------------------------------------------

run_short() {
    list_short 4 | must_pass nodes4 "$newest" even 4 8 600
    list_short 1 | must_pass nodes1 "$newest" even 1 8 600
}

# The odd machines first: they are quick.
run_long() {
    local oldest
    list_short 3 mixed | must_pass nodes3-mixed "$newest" mixed 3 8 1200
    list_short 3 | must_pass nodes3-memory "$newest" memory 3 8 1200
    list_short 4 | must_pass cpus16 "$newest" even 4 16 1200
    oldest=$("$here/../../scripts/guest-kernel.sh" oldest "$work/kernel") || cannot "no second kernel"
    [[ $(basename "$oldest") == "$(basename "$newest")" ]] ||
        list_short 2 | must_pass old-kernel "$oldest" even 2 8 1200
    echo 900 test_rseq_storm | must_pass one-by-one "$newest" even 2 2 1800 "$(one_by_one)"
    run_long_lists
}

run_long_lists() {
    local nodes
    for nodes in 4 2 1; do
        list_long "$nodes" | must_pass "nodes$nodes-long" "$newest" even "$nodes" 8 $((5400 * effort))
    done
}

run_soak() {
    run_long_lists
}

run_broken() {
    local said line log=$work/broken.log
    ! said=$(list_broken | must_pass broken "$newest" even 1 1 600 2>&1) || die "broken: programs failed and the guest passed"
    [[ $said == *'broken: failed with status'* ]] || die "broken: failed for another reason: $said"
    while read -r line; do
        [[ $said == *"guest: $line"* ]] || die "broken: 'guest: $line' is missing in: $said"
    done <<'END'
ok: guest_broken ends
FAILED: guest_broken fails: status 1
FAILED: guest_broken aborts: killed by Aborted
FAILED: guest_broken hangs: not done in 2 s
FAILED: guest_broken skips: status 77
FAILED: no_such_program: status 127
6 programs ran, 5 failed, 0 left out
END
    sed -n 's/^guest: Linux/guest: broken: Linux/p' "$log"
    echo "guest: programs that fail make it fail"
}

case $form in
short | long | soak | broken) ;;
*) die "unknown form '$form'" ;;
esac
for command in qemu-system-x86_64:qemu-system-x86 cpio:cpio; do
    command -v "${command%:*}" >/dev/null ||
        cannot "${command%:*} is missing: sudo apt-get install -y --no-install-recommends ${command#*:}"
done
preload=$build/lib/libslabkit-malloc.so
[[ -e $preload && -e $build/test/guest_init ]] || die "$build holds no build with tests"
mkdir -p "$work/kernel"
newest=$("$here/../../scripts/guest-kernel.sh" newest "$work/kernel") || cannot "no kernel to boot"
"run_$form"
