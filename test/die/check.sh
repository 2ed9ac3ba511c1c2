#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Role: runs every case of die.c on slabkit: each dies by SIGABRT and says exactly one line, the one in
#       expected.txt. The messages there are those of the library's source: all of them, and no others.
#
#   check.sh DIE PRELOAD EXPECTED MISUSE.DEF [SLABKIT_OPTIONS]
set -euo pipefail
die=$1 preload=$2 expected=$3 messages=$4
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

# The message of misuse.def as a regular expression for a whole line.
pattern_of() {
    sed -n "s/^MISUSE($1, \"\(.*\)\")\$/slabkit: \1/p" "$messages" |
        sed -e 's/[][().*?+^$|\\]/\\&/g' -e 's/%p/0xHEX/g' -e 's/%z/[0-9]+/g' -e 's/%n/.+/g'
}

[[ -s $expected && -s $messages ]] || complain "a file is missing"
diff <(rows | cut -d' ' -f1) <("$die") || complain "the cases of die.c are not those of $expected"
diff <(rows | cut -d' ' -f2 | sort -u) <(sed -n 's/^MISUSE(\([A-Z_]*\),.*/\1/p' "$messages" | sort) ||
    complain "the messages of $expected are not those of $messages"

while read -r name id line; do
    pattern=$(pattern_of "$id")
    [[ -n $pattern && $line =~ ^$pattern$ ]] || complain "$name: expected line is no $id message"
    status=0
    said=$(LD_PRELOAD=$preload "$die" "$name" 2>&1 >/dev/null) || status=$?
    [[ $status == 134 ]] || complain "$name: status $status, not SIGABRT"
    # A debug cache tells more, on lines of its own that are indented.
    said=$(sed -E 's/0x[0-9a-f]+/0xHEX/g; /^ /d' <<<"$said")
    [[ $said == "$line" ]] || complain "$name: said '$said', expected '$line'"
done < <(rows)
exit $bad
