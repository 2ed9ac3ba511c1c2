#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: `slabkit run` with a library whose snapshot is known: statuses, environment, where the
#       library is found, what the report says.
. "$(dirname "$0")/lib.sh"
export SLABKIT_LIBRARY=$double

# ---- statuses, with and without a report ----------------------------------------------------------

printf '#!/bin/sh\nexit 0\n' >"$work/plain"

for report in "" --report --report=json "-o $work/report"; do
    what="run $report"
    for code in 0 1 2 42 125 126 127 255; do
        run "$slabkit" run $report -- sh -c "exit $code"
        is "$what exit $code" "$status" "$code"
    done
    run "$slabkit" run $report /nonexistent/command
    is "$what, missing: status" "$status" 127
    has "$what, missing" "$work/err" \
        "slabkit: run: cannot run '/nonexistent/command': No such file or directory"
    is "$what, missing: one line" "$(wc -l <"$work/err")" 1
    run "$slabkit" run $report no-such-command-in-path
    is "$what, not in PATH: status" "$status" 127
    run "$slabkit" run $report "$work/plain"
    is "$what, not executable: status" "$status" 126
    has "$what, not executable" "$work/err" "Permission denied"
    run "$slabkit" run $report "$work"
    is "$what, directory: status" "$status" 126
    nothing_left "$what"
done

# ---- the command's arguments and files are its own ------------------------------------------------

run "$slabkit" run --report -- printf '%s|' --report -o x ""
is "arguments" "$(<"$work/out")" "--report|-o|x||"
run "$slabkit" run printf '%s|' --report
is "options end at the command" "$(<"$work/out")" "--report|"
run bash -c 'echo in | "$0" run --report cat' "$slabkit"
is "standard input" "$(<"$work/out")" in

"$slabkit" run sh -c 'echo $$' >"$work/out" &
pid=$!
wait "$pid"
is "no report: the command takes our place" "$(<"$work/out")" "$pid"

run "$slabkit" run --report -o "$work/report" sh -c 'ls /proc/self/fd | wc -l'
fds=$(<"$work/out")
run sh -c 'ls /proc/self/fd | wc -l'
is "descriptors" "$fds" "$(<"$work/out")"

# ---- environment ----------------------------------------------------------------------------------

run "$slabkit" run sh -c 'echo "$LD_PRELOAD|$SLABKIT_OPTIONS"'
is "environment" "$(<"$work/out")" "$double|"
LD_PRELOAD=libm.so.6 SLABKIT_OPTIONS=nodes=2 run \
    "$slabkit" run --options=nodes=3 sh -c 'echo "$LD_PRELOAD|$SLABKIT_OPTIONS"'
is "environment kept" "$(<"$work/out")" "$double:libm.so.6|nodes=2,nodes=3"
SLABKIT_OPTIONS=report=text run "$slabkit" run --report --options=reaper=off sh -c 'echo "$SLABKIT_OPTIONS"'
checks=$((checks + 1))
[[ $(<"$work/out") =~ ^report=text,reaper=off,report=binary,report_file=$TMPDIR/slabkit-[^/]*/snapshots$ ]] ||
    fail "environment with report"
for bad in relative "$work/a,b"; do
    mkdir -p "$work/a,b"
    TMPDIR=$bad run "$slabkit" run --report sh -c 'echo "${SLABKIT_OPTIONS##*=}"'
    is "TMPDIR=$bad" "$(cut -d/ -f1-2 "$work/out")" /tmp
    is "TMPDIR=$bad: status" "$status" 0
done
TMPDIR=/nonexistent run "$slabkit" run --report true
is "TMPDIR missing: status" "$status" 125
has "TMPDIR missing" "$work/err" "no place for temporary files"

# ---- where the library is found -------------------------------------------------------------------

SLABKIT_LIBRARY=/nonexistent.so run "$slabkit" run true
is "SLABKIT_LIBRARY missing: status" "$status" 125
has "SLABKIT_LIBRARY missing" "$work/err" "slabkit: SLABKIT_LIBRARY: '/nonexistent.so': No such file or directory"
(cd "$(dirname "$double")" && SLABKIT_LIBRARY=./cli_double.so run "$slabkit" run sh -c 'echo $LD_PRELOAD' &&
    cp "$work/out" "$work/relative")
is "SLABKIT_LIBRARY relative" "$(<"$work/relative")" "$double"
mkdir "$work/a b"
cp "$double" "$work/a b/lib.so"
SLABKIT_LIBRARY="$work/a b/lib.so" run "$slabkit" run true
is "space in the library's name: status" "$status" 125
has "space in the library's name" "$work/err" "which LD_PRELOAD cannot express"

prefix=$work/prefix
multiarch=lib/$(basename "$(find /usr/lib -maxdepth 1 -name "$(uname -m)-linux-gnu")")
mkdir -p "$prefix/bin" "$prefix/$multiarch"
cp "$slabkit" "$prefix/bin/slabkit"
installed() {
    SLABKIT_LIBRARY='' run "$prefix/bin/slabkit" run sh -c 'echo $LD_PRELOAD'
}
installed
is "no library: status" "$status" 125
has "no library" "$work/err" "libslabkit-malloc.so is not in $prefix/lib"
for name in "$multiarch/libslabkit-malloc.so.0" lib/libslabkit-malloc.so.0 lib/libslabkit-malloc.so; do
    cp "$double" "$prefix/$name"
    installed
    is "library in $name" "$(<"$work/out")" "$(realpath "$prefix")/$name"
done
ln -s "$prefix/bin/slabkit" "$work/link"
SLABKIT_LIBRARY='' run "$work/link" run sh -c 'echo $LD_PRELOAD'
is "slabkit by symbolic link" "$(<"$work/out")" "$(realpath "$prefix")/lib/libslabkit-malloc.so"

# ---- the report: text -----------------------------------------------------------------------------
# bash, because dash ends by _exit, and the double leaves no snapshot then.

run "$slabkit" run --report bash -c 'echo said; exit 3'
is "text: status" "$status" 3
is "text: the command's output" "$(<"$work/out")" said
has "text" "$work/err" "slabkit run: bash -c echo said; exit 3"
has "text" "$work/err" "  status      3"
has "text" "$work/err" "  elapsed     "
has "text" "$work/err" "  peak RSS    "
has "text" "$work/err" "slabkit: bash (pid "
has "text" "$work/err" "  slots       portable (double), 1 slot on 1 node"
lacks "text, alone" "$work/err" "other processes"
lacks "text, alone" "$work/err" "left no report"

run "$slabkit" run -o "$work/report" bash -c '/bin/true; exec /bin/sleep 0'
is "-o: status" "$status" 0
empty "-o" "$work/err"
has "-o: the command is what it became" "$work/report" "slabkit: sleep (pid "
has "-o: descendants" "$work/report" "other processes, by peak"
checks=$((checks + 1))
grep -qE '^ +[0-9]+  true +1000 B  3\.0 MiB  2\.0 MiB +42$' "$work/report" || fail "-o: line of a descendant"

run "$slabkit" run -o "$work/report" bash -c 'for i in {1..22}; do /bin/true; done'
is "many: shown" "$(grep -c '  true ' "$work/report")" 20
has "many" "$work/report" "  and 2 more"

marker=$work/marker
run "$slabkit" run -o /nonexistent/report touch "$marker"
is "-o not writable: status" "$status" 2
has "-o not writable" "$work/err" \
    "slabkit: run: cannot write '/nonexistent/report': No such file or directory"
is "-o not writable: the command did not run" "$([[ -e $marker ]] && echo ran)" ""

run "$slabkit" run -o /dev/full bash -c 'exit 4'
is "report cannot be written: status" "$status" 4
has "report cannot be written" "$work/err" "slabkit: run: cannot write the report: No space left on device"

# Nobody reads stderr.
run bash -c '"$0" run --report bash -c "exit 4" 2>&1 >/dev/null | :; exit ${PIPESTATUS[0]}' "$slabkit"
is "report into a closed pipe: status" "$status" 4
run bash -c '{ sleep 0.1; "$0" run --report /nonexistent/command; } 2>&1 | :; exit ${PIPESTATUS[0]}' "$slabkit"
is "message into a closed pipe: status" "$status" 127
nothing_left "text"

# ---- the report: JSON -----------------------------------------------------------------------------

run "$slabkit" run --report=json -o "$work/json" bash -c '/bin/true; exit 5' "$(printf 'a"b\\\n\377')"
is "json: status" "$status" 5
json json "$work/json" command.# 4
json json "$work/json" command.1 -c
is "json: command.3" "$("$json_get" "$work/json" command.3)" "$(printf 'a"b\\\n\357\277\275')"
json json "$work/json" status 5
json json "$work/json" signal null
json json "$work/json" allocator.process bash
json json "$work/json" allocator.version 2
json json "$work/json" allocator.live_bytes 1000
json json "$work/json" allocator.classes.# 2
json json "$work/json" allocator.classes.1.name malloc-32
json json "$work/json" processes.# 1
json json "$work/json" processes.0.process true
json json "$work/json" processes.0.ppid "$("$json_get" "$work/json" allocator.pid)"
json json "$work/json" processes.0.live_bytes 1000
json json "$work/json" processes.0.peak_bytes 3145728
json json "$work/json" processes.0.mapped_bytes 2097152
json json "$work/json" processes.0.allocs 42
for key in elapsed_seconds user_seconds system_seconds; do
    checks=$((checks + 1))
    [[ $("$json_get" "$work/json" $key) =~ ^[0-9]+\.[0-9]+(e-?[0-9]+)?$ ]] || fail "json: $key"
done
checks=$((checks + 1))
[[ $("$json_get" "$work/json" peak_rss_bytes) -gt 100000 ]] || fail "json: peak_rss_bytes"

# ---- snapshots that are missing, short, foreign, torn ---------------------------------------------

run "$slabkit" run --report=json -o "$work/json" bash -c 'unset LD_PRELOAD; exec /bin/true'
json "not preloaded" "$work/json" allocator null
has "not preloaded" "$work/json" "statically linked or set-user-ID programs cannot be"
run "$slabkit" run --report bash -c 'unset LD_PRELOAD; exec /bin/true'
has "not preloaded, text" "$work/err" "the command left no report: it could not be preloaded"

CLI_DOUBLE=short run "$slabkit" run --report=json -o "$work/json" bash -c '/bin/true; exit 0'
json short "$work/json" allocator.classes.1.name malloc-32
json short "$work/json" processes.0.process true

CLI_DOUBLE=foreign run "$slabkit" run --report=json -o "$work/json" bash -c '/bin/true; exit 0'
json foreign "$work/json" allocator null
json foreign "$work/json" no_allocator_because "the report is of another version of slabkit"
json foreign "$work/json" processes.# 0

CLI_DOUBLE=torn run "$slabkit" run --report=json -o "$work/json" /bin/true
json torn "$work/json" allocator null
json torn "$work/json" no_allocator_because "the command's report is damaged"
CLI_DOUBLE=torn run "$slabkit" run --report=json -o "$work/json" bash -c 'CLI_DOUBLE= /bin/true; exit 0'
json "torn last" "$work/json" allocator null
json "torn last" "$work/json" processes.# 1
nothing_left "snapshots"

finish
