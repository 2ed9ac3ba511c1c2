#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs a real program on libc's malloc and on slabkit, and compares what it wrote. Every program ends with
#       status 0 both times, and in the second run slabkit served it: its report says so.
#       Exit status 77: the program is missing and cannot be installed.
#
#   run.sh NAME PRELOAD            NAMEs: see the functions program_NAME
#
# Owns: a directory of its own for each run, removed at the end. A program_NAME runs in it, and leaves in out/
#       what is compared.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?name missing} preload=${2?preload missing}
work=$(mktemp -d)
server=
trap finish EXIT

finish() {
    local status=$?
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    [[ $status == 0 || ! -s $work/err ]] || cat "$work/err" >&2
    rm -rf "$work"
    exit "$status"
}

die() {
    echo "run.sh $name: $*" >&2
    exit 1
}

# need COMMAND PACKAGE: installs the package where the command is missing.
need() {
    command -v "$1" >/dev/null && return
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
            --no-install-recommends "$2" >/dev/null 2>&1 || true
    fi
    command -v "$1" >/dev/null && return
    echo "$1 is missing (Debian: $2)" >&2
    exit 77
}

# on COMMAND...: runs it on the malloc under test.
on() {
    env ${malloc:+LD_PRELOAD="$malloc"} "$@"
}

# ---- the programs ------------------------------------------------------------------------------------------

# A long C file, with macros, tables and functions of many shapes.
c_source() {
    awk 'BEGIN {
        print "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>"
        for (i = 0; i < 80; i++) {
            printf "struct s%d { int a[%d]; double d; struct s%d *next; };\n", i, i % 17 + 1, i
            printf "static int f%d(struct s%d *s, int n)\n{\n    int sum = %d;\n", i, i, i
            printf "    for (int k = 0; k < n; k++) {\n        switch ((k + %d) %% 7) {\n", i
            for (c = 0; c < 7; c++)
                printf "        case %d: sum += s->a[k %% %d] * %d ^ (int)s->d; break;\n", c, i % 17 + 1, c * i
            printf "        }\n        if (sum > 1000000) sum -= s->next ? s->next->a[0] : %d;\n    }\n", i
            print "    return sum;\n}"
        }
        print "int main(void)\n{\n    int total = 0;"
        for (i = 0; i < 80; i++)
            printf "    { struct s%d s = {.d = %d.5}; total ^= f%d(&s, %d); }\n", i, i, i, i * 3
        print "    printf(\"%d\\n\", total);\n    return 0;\n}"
    }'
}

program_cc() {
    need cc gcc
    c_source >big.c
    on cc -O2 -c big.c -o out/big.o
}

program_cxx() {
    need g++ g++
    cat >words.cc <<'EOF'
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>
int main()
{
    std::map<std::string, std::vector<int>> index;
    for (int i = 0; i < 1000; i++)
        index[std::to_string(i * 7919 % 1000)].push_back(i);
    std::regex odd("[13579]$");
    for (const auto &[word, at] : index)
        if (std::regex_search(word, odd))
            std::cout << word << ' ' << at.front() << '\n';
}
EOF
    on g++ -c words.cc -o out/words.o
    g++ out/words.o -o words
    on ./words >out/words.txt
}

program_python3() {
    need python3 python3
    PYTHONMALLOC=malloc PYTHONHASHSEED=1 on python3 "$here/script.py" >out/text
}

program_perl() {
    need perl perl
    PERL_HASH_SEED=1 PERL_PERTURB_KEYS=0 on perl "$here/script.pl" >out/text
}

program_sqlite3() {
    need sqlite3 sqlite3
    on sqlite3 data.db <"$here/script.sql" >out/text
}

program_bash() {
    on bash "$here/script.bash" >out/text
}

program_node() {
    need node nodejs
    on node "$here/script.js" >out/text
}

# All dates and names fixed: the same objects have the same names.
program_git() {
    need git git
    export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a
    export GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
    on git init -q repo
    cd repo
    for i in {1..25}; do
        seq "$i" "$((i * 200))" >"file$((i % 7))"
        on git add -A
        on git commit -q -m "change $i"
    done
    on git gc -q --aggressive
    on git fsck --strict
    { on git log --stat; on git rev-parse HEAD; on git diff HEAD~10 HEAD; on git blame file3; } >../out/text
    cd ..
}

program_redis() {
    need redis-server redis-server
    need redis-benchmark redis-tools
    local sock=$PWD/redis.sock
    on redis-server --port 0 --unixsocket "$sock" --save '' --appendonly no --dir "$PWD" --logfile log &
    server=$!
    for _ in {1..200}; do
        [[ $(redis-cli -s "$sock" ping 2>/dev/null) != PONG ]] || break
        sleep 0.05
    done
    redis-benchmark -s "$sock" -q -n 10000 -c 20 -r 5000 -d 200 -t set,get,incr,lpush,lpop,sadd,hset,zadd >bench
    [[ $(grep -c 'requests per second' bench) == 8 ]] || die "redis-benchmark: $(cat bench)"
    {
        redis-cli -s "$sock" flushall
        for i in {1..300}; do echo "set key:$i value:$((i * i))"; echo "append key:$((i % 9)) tail$i"; done |
            redis-cli -s "$sock"
        redis-cli -s "$sock" mget key:1 key:5 key:299
        redis-cli -s "$sock" dbsize
    } >out/text
    redis-cli -s "$sock" shutdown nosave
    wait "$server" || die "redis-server ended with status $?"
    server=
}

program_stress-ng() {
    need stress-ng stress-ng
    on stress-ng --malloc 2 --malloc-ops 3000 --malloc-bytes 64M --verify --temp-path "$PWD" >log 2>&1 ||
        die "$(cat log)"
    grep -q 'successful run completed\|passed: 2' log || die "$(cat log)"
    ! grep -q 'fail' <(grep -v 'failed: 0' log) || die "$(cat log)"
    echo done >out/text
}

# ---- both runs ---------------------------------------------------------------------------------------------

# run_in DIR MALLOC
run_in() {
    mkdir -p "$work/$1/out"
    cd "$work/$1"
    malloc=$2
    "program_$name" || die "status $? on ${malloc:-libc}"
}

declare -F "program_$name" >/dev/null || die "no such program"
run_in libc ''
SLABKIT_OPTIONS=${SLABKIT_OPTIONS:+$SLABKIT_OPTIONS,}report=text,report_file=$work/report,verify=on
export SLABKIT_OPTIONS
run_in slabkit "$preload" 2>"$work/err"
! grep -q '^slabkit: ' "$work/err" || die "slabkit complained"
diff -r "$work/libc/out" "$work/slabkit/out" >"$work/diff" ||
    die "output differs from libc's: $(head -c 2000 "$work/diff")"
[[ -n $(ls "$work/slabkit/out") ]] || die "nothing to compare"
[[ -z $preload || -s $work/report ]] || die "slabkit wrote no report: was it there?"
