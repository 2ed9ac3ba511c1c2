#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs every case of debug.c: each dies by SIGABRT with a report whose first line is the one in debug_expected.txt, and which
#       then has the parts that its flags say, and no others. All messages of DEBUG.DEF are met.
#
#   check_debug.sh DIE EXPECTED DEBUG.DEF MISUSE.DEF [SLABKIT_OPTIONS]
set -euo pipefail
die=$1 expected=$2 messages=$3 misuse=$4
export SLABKIT_OPTIONS=${5-}
ulimit -c 0
bad=0
complain() {
    echo "check: $*" >&2
    bad=1
}

rows() {
    grep -v '^#' "$expected"
}

# The message as a regular expression for a whole line.
pattern_of() {
    sed -nE "s/^(DEBUG_FAULT|MISUSE)\($1, \"(.*)\"\)\$/slabkit: \2/p" "$messages" "$misuse" |
        sed -e 's/[][().*?+^$|\\]/\\&/g' -e 's/%p/0xHEX/g' -e 's/%[zs]/[0-9]+/g' -e 's/%n/.+/g' \
            -e 's/%b/[0-9]+ bytes?/g' -e 's/%o/-?[0-9]+/g'
}

event='pid [0-9]+, tid [0-9]+, slot [0-9]+, [0-9]+\.[0-9]{3} s ago'

# part FLAG FLAGS LINE: LINE begins a part of the report if and only if FLAG is among FLAGS.
part() {
    local has=no wants=no
    grep -qE "^$3\$" <<<"$report" && has=yes
    [[ $2 != *$1* ]] || wants=yes
    [[ $has == "$wants" ]] || complain "$name: '$3' in the report: $has, expected: $wants"
}

# Every line behind the first is one of these.
known="  bytes by offset from the object's begin, ! the damage:"
known+="| *-?[0-9]+:([ !]([0-9a-f]{2}|  )){16}  \|.{16}\||  \.\.\."
known+="|  (last allocated|last freed|found): ($event|never)"
known+="|  who allocated and freed it: not remembered \(debug flag U\)"
known+='|    0x[0-9a-f]+( [^ ]+\+0x[0-9a-f]+)?( \([^ ]+\+0x[0-9a-f]+\))?'

[[ -s $expected && -s $messages && -s $misuse ]] || complain "a file is missing"
diff <(rows | cut -d' ' -f1) <("$die") || complain "the cases of debug.c are not those of $expected"
comm -13 <(rows | cut -d' ' -f3 | sort -u) <(sed -n 's/^DEBUG_FAULT(\([A-Z_]*\),.*/\1/p' "$messages" | sort) |
    grep . && complain "messages of $messages without a case"

while read -r name flags id line; do
    pattern=$(pattern_of "$id")
    [[ -n $pattern && $line =~ ^$pattern$ ]] || complain "$name: expected line is no $id message"
    status=0
    report=$("$die" "$name" 2>&1 >/dev/null) || status=$?
    [[ $status == 134 ]] || complain "$name: status $status, not SIGABRT"
    said=$(head -n 1 <<<"$report" | sed -E 's/0x[0-9a-f]+/0xHEX/g')
    [[ $said == "$line" ]] || complain "$name: said '$said', expected '$line'"
    tail -n +2 <<<"$report" | grep -vE "^($known)\$" && complain "$name: strange lines"
    part P "$flags" "  bytes by offset from the object's begin, ! the damage:"
    part H "$flags" "  last allocated: $event"
    part S "$flags" "  found: $event"
    [[ $flags != *H* ]] || grep -qE '^    0x[0-9a-f]+ take\+0x' <<<"$report" || complain "$name: no take() in the history"
done < <(rows)
exit $bad
