#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: `slabkit run --report` and signals: it dies as the command died, sends on what it is sent, and leaves
#       SIGINT and SIGQUIT to the command.
. "$(dirname "$0")/lib.sh"
export SLABKIT_LIBRARY=$double

# ---- death by signal ------------------------------------------------------------------------------

# A second slabkit tells whether the first one was killed, or only exited with 128 + n.
for sig in KILL TERM SEGV ABRT INT QUIT PIPE; do
    n=$(kill -l $sig)
    run env --default-signal "$slabkit" run --report=json -o "$work/outer" \
        "$slabkit" run --report -o "$work/inner" sh -c "kill -$sig \$\$"
    is "$sig: status" "$status" $((128 + n))
    json "$sig" "$work/outer" signal "$n"
    json "$sig" "$work/outer" status $((128 + n))
    has "$sig" "$work/inner" "  status      killed by signal $n ("
    has "$sig" "$work/inner" "the command left no report: killed by signal $n"
    json "$sig" "$work/outer" no_allocator_because "the command left no report: killed by signal $n"
done
is "core files" "$(find . -maxdepth 1 -newer "$work/tmp" -name 'core*')" ""
nothing_left "killed"

# ---- signals sent to slabkit ----------------------------------------------------------------------

# begin SCRIPT: starts it under slabkit, in a process group of its own, and waits until it says ready; $pid
begin() {
    : >"$work/out"
    env --default-signal setsid "$slabkit" run --report -o "$work/report" sh -c "$1" \
        >"$work/out" 2>"$work/err" &
    pid=$!
    until_has "$work/out" ready "$pid"
}

end() {
    wait "$pid" 2>>"$work/err"
    status=$?
}

loop='echo ready; while :; do sleep 0.02; done'

for sig in TERM HUP USR1 USR2 ALRM RTMIN; do
    begin "trap 'echo got $sig; exit 7' $sig; $loop"
    kill -$sig "$pid"
    end
    is "$sig sent on: status" "$status" 7
    has "$sig sent on" "$work/out" "got $sig"
    has "$sig sent on" "$work/report" "  status      7"
done

begin "$loop"
kill -TERM "$pid"
end
is "TERM that kills the command: status" "$status" 143

for sig in INT QUIT; do
    begin "trap 'echo got $sig; exit 8' $sig; trap 'exit 9' TERM; $loop"
    kill -$sig "$pid"
    kill -TERM "$pid"
    end
    is "$sig to slabkit alone: status" "$status" 9
    lacks "$sig to slabkit alone" "$work/out" "got $sig"

    begin "trap 'echo got $sig; exit 8' $sig; $loop"
    kill -$sig -- "-$pid"
    end
    is "$sig from a terminal: status" "$status" 8
    has "$sig from a terminal" "$work/report" "  status      8"
done
nothing_left "sent"

# ---- what the command inherits --------------------------------------------------------------------

for how in --default-signal --ignore-signal=INT --ignore-signal=CHLD,QUIT,PIPE --block-signal=USR1; do
    masks='grep -E "^Sig(Blk|Ign)" /proc/self/status'
    run env --default-signal env $how sh -c "exec $masks"
    cp "$work/out" "$work/want"
    run env --default-signal env $how "$slabkit" run --report sh -c "exec $masks"
    is "inherited $how: status" "$status" 0
    is "inherited $how" "$(<"$work/out")" "$(<"$work/want")"
done

finish
