#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: help, version and wrong usage of slabkit(1): what is said, where, and the exit status.
. "$(dirname "$0")/lib.sh"

# wrong MESSAGE ARG...: exit 2, MESSAGE on stderr, nothing on stdout
wrong() {
    local message=$1
    shift
    run "$slabkit" "$@"
    is "slabkit $*: status" "$status" 2
    has "slabkit $*" "$work/err" "$message"
    empty "slabkit $*" "$work/out"
}

# right TEXT ARG...: exit 0, TEXT on stdout, nothing on stderr
right() {
    local text=$1
    shift
    run "$slabkit" "$@"
    is "slabkit $*: status" "$status" 0
    has "slabkit $*" "$work/out" "$text"
    empty "slabkit $*" "$work/err"
}

right "usage: slabkit COMMAND" --help
right "usage: slabkit COMMAND" -h
right "usage: slabkit COMMAND" help
right "  run       run a program on slabkit" help
right "usage: slabkit run [--report[=text|json]]" run --help
right "usage: slabkit run [--report[=text|json]]" run -h
right "usage: slabkit run [--report[=text|json]]" run --report --help
right "usage: slabkit run [--report[=text|json]]" help run
right "usage: slabkit version" version --help
right "usage: slabkit help" help help
if grep -q '^  bench ' <<<"$("$slabkit" help)"; then
    right "usage: slabkit bench" bench --help
    right "usage: slabkit bench" help bench
fi
right "slots=auto|rseq-cid|rseq-cpu|portable" --help options
right "reserve=64m..64t" help options

for args in version --version; do
    run "$slabkit" $args
    is "$args: status" "$status" 0
    is "$args" "$(<"$work/out")" "slabkit $(sed -n 's/^#define SLABKIT_VERSION *"\(.*\)"/\1/p' \
        "$(dirname "$0")/../../include/slabkit/slabkit.h")"
done

# Every option of the table is in the help.
while read -r key; do
    run "$slabkit" help options
    has "help options" "$work/out" "  $key="
done < <(sed -n 's/^OPT_[A-Z]*([a-z_]*, "\([^"]*\)".*/\1/p' "$(dirname "$0")/../../src/ctl/options.def")

run "$slabkit"
is "no argument: status" "$status" 2
has "no argument" "$work/err" "usage: slabkit COMMAND"
empty "no argument" "$work/out"

wrong "slabkit: unknown command 'nonsense'" nonsense
wrong "slabkit: unknown command '--nonsense'" --nonsense
wrong "slabkit: no help on 'nonsense'" help nonsense
wrong "one topic at a time" help run options
wrong "unexpected argument 'x'" version x
wrong "slabkit: run: no command" run
wrong "slabkit: run: no command" run --report
wrong "slabkit: run: no command" run --
wrong "--report is text or json" run --report=xml true
wrong "unrecognized option '--nonsense'" run --nonsense true
wrong "requires an argument" run -o
wrong "slabkit: --options: unknown key 'foo'" run --options=foo=1 true
wrong "slabkit: --options: bad value 'x' for 'slots' (auto|rseq-cid|rseq-cpu|portable)" \
    run --options=slots=x true

run bash -c '"$0" help >/dev/full' "$slabkit"
is "full disk: status" "$status" 1
has "full disk" "$work/err" "cannot write to stdout"

finish
