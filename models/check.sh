#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: model-check the remote list, and the closing of other CPUs' arrays. Sound models must be searched to
#       the end without an error, broken ones must fail; the memory orders likewise (orders.cc, stop.cc).
#       One line for each; exit 1 if one is not as it must be.
# Usage: check.sh BUILD_DIR
# Below: spin, gcc; g++ and relacy (Debian: spin, relacy-dev)
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: check.sh BUILD_DIR}
jobs=2
mkdir -p "$build" && build=$(cd "$build" && pwd) || exit 1

# kind model defines: how large the model is, whether slabs change owners as in the code (VIA_NODE) or under
# both locks, and in a broken one what is broken.
# sound: safety and deadlock; sound-np: no cycle without progress; broken, broken-np: caught by the same.
variants="
sound remote_list NPUSH=2 NSLAB=1 NPER=3
sound remote_list NPUSH=2 NSLAB=2 NPER=1
sound remote_list NPUSH=1 NSLAB=2 NPER=2
sound adopt NTHREAD=3 NSLAB=1 NPER=1 VIA_NODE
sound adopt NTHREAD=2 NSLAB=1 NPER=2
sound adopt NTHREAD=2 NSLAB=1 NPER=2 VIA_NODE
sound adopt NTHREAD=2 NSLAB=2 NPER=1 VIA_NODE
sound drain NPUSH=2 NSLAB=1 NPER=3
sound drain NPUSH=2 NSLAB=2 NPER=1
sound-np remote_list NPUSH=2 NSLAB=1 NPER=2
sound-np remote_list NPUSH=2 NSLAB=2 NPER=1
broken remote_list NPUSH=2 NSLAB=2 NPER=1 BREAK_LINK_BLIND
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_NO_LINK
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_PUSH_STORE
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_OLD_KEPT
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_TOUCH_AFTER
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_AWAY_STORE
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_COLLECT_SPLIT
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_TAKE_SPLIT
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_TAKE_BACK_BLIND
broken remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_TAKE_BACK_COLLECT
broken remote_list NPUSH=2 NSLAB=2 NPER=1 BREAK_TELL_EARLY
broken remote_list NPUSH=2 NSLAB=2 NPER=1 BREAK_TOLD_LATE
broken adopt NTHREAD=2 NSLAB=1 NPER=2 BREAK_ADOPT_AWAY
broken adopt NTHREAD=2 NSLAB=1 NPER=2 BREAK_ADOPT_UNLOCKED
broken adopt NTHREAD=2 NSLAB=1 NPER=2 BREAK_OWNER_UNLOCKED
broken adopt NTHREAD=2 NSLAB=1 NPER=2 BREAK_OWNER_EARLY
broken adopt NTHREAD=2 NSLAB=1 NPER=2 BREAK_LOCK_ORDER
broken drain NPUSH=2 NSLAB=1 NPER=2 BREAK_DRAIN_NO_WAIT
broken drain NPUSH=2 NSLAB=1 NPER=2 BREAK_DRAIN_STEALS
broken drain NPUSH=2 NSLAB=1 NPER=2 BREAK_TELL_SC
broken-np remote_list NPUSH=2 NSLAB=1 NPER=2 BREAK_WAIT_FOR_LINK
"

# build_pan KIND MODEL DEFINE...: the searcher, in the current directory.
build_pan()
{
    local kind=$1 model=$2 mode=-DSAFETY optimise=-O1
    shift 2
    [[ $kind == *-np ]] && mode=-DNP
    [[ $kind == broken* ]] && optimise=-O0
    spin -a "${@/#/-D}" "$here/$model.pml" >spin.log 2>&1 &&
        gcc $optimise $mode -DMEMLIM=2500 -w -o pan pan.c >gcc.log 2>&1
}

# complete LOG: the search covered everything and found nothing.
complete()
{
    grep -q '^Full statespace search' "$1" && grep -q 'errors: 0$' "$1" &&
        ! grep -qE 'max search depth too small|Search not completed|MEMLIM|out of memory|resized' "$1"
}

# judge KIND LOG: the last column, and whether the outcome is the one that must be.
judge()
{
    local why
    why=$(sed -n 's/^pan:1: //p' "$2" | sed 's/ (at depth.*//' | head -1)
    case $1 in
    sound*) complete "$2" && echo ok && return 0 ;;
    broken*)
        [[ $why =~ ^(assertion violated|invalid end state|non-progress cycle) ]] &&
            echo "caught: $why" && return 0 ;;
    esac
    echo "UNEXPECTED${why:+: $why} (see $2)"
    return 1
}

# check_variant NUMBER KIND MODEL DEFINE...: writes NUMBER.line, and NUMBER.bad when it must not be so.
check_variant()
{
    local number=$1 kind=$2 model=$3 log start verdict states seconds search=
    shift 3
    mkdir -p "$build/$number" && cd "$build/$number" || return 1
    log=$build/$number/pan.log
    : >"$log"
    start=${EPOCHREALTIME/./}
    [[ $kind == *-np ]] && search=-l
    build_pan "$kind" "$model" "$@" && ./pan -m4000000 -w24 $search >"$log" 2>&1
    verdict=$(judge "$kind" "$log") || touch "$build/$number.bad"
    states=$(awk '/states, stored/ { print $1 }' "$log")
    seconds=$(((${EPOCHREALTIME/./} - start) / 100000))
    printf '%-9s %-11s %-46s %10s %4d.%d s  %s\n' "$kind" "$model" "$*" "${states:--}" \
        $((seconds / 10)) $((seconds % 10)) "$verdict" >"$build/$number.line"
    rm -f pan pan.? ./*.trail
}

# check_orders PROGRAM: the C11 memory model, all scenarios and weakenings.
check_orders()
{
    if ! g++ -std=c++17 -O1 -w -o "$build/$1" "$here/$1.cc" >"$build/$1.log" 2>&1; then
        echo "$1.cc does not build: is relacy-dev there? (see $build/$1.log)" >"$build/$1.line"
        touch "$build/$1.bad"
        return
    fi
    "$build/$1" >"$build/$1.line" || touch "$build/$1.bad"
}

check_all_orders()
{
    check_orders orders
    check_orders stop
}

rm -f "$build"/*.line "$build"/*.bad
check_all_orders &
number=100
while read -r kind model defines; do
    [[ -z $kind ]] && continue
    while (($(jobs -rp | wc -l) >= jobs)); do
        wait -n
    done
    number=$((number + 1))
    # shellcheck disable=SC2086 # the defines are words
    check_variant $number "$kind" "$model" $defines &
done <<<"$variants"
wait

printf '%-9s %-11s %-46s %10s %8s  %s\n' kind model size/variant states time result
cat "$build"/[0-9]*.line
printf '\n%-9s %-43s %10s  %s\n' kind scenario/weakened-order schedules result
cat "$build/orders.line" "$build/stop.line"
lines=$(cat "$build"/[0-9]*.line | wc -l)
bad=$(find "$build" -maxdepth 1 -name '*.bad' | wc -l)
echo
echo "$lines of $((number - 100)) variants run, $bad not as they must be"
((bad == 0 && lines == number - 100))
