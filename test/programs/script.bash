# SPDX-License-Identifier: BSD-2-Clause
# Role: bash at work: arrays, string surgery, functions, subshells, pipes, here-documents.
set -euo pipefail
declare -A count
state=1
for ((i = 0; i < 5000; i++)); do
    state=$(((state * 1103515245 + 12345) % 2147483648))
    printf -v word 'w%x' $((state % 700))
    count[$word]=$((${count[$word]:-0} + 1))
done
for word in "${!count[@]}"; do
    printf '%s %d\n' "$word" "${count[$word]}"
done | sort | tail -n 50

fib() {
    (($1 < 2)) && echo "$1" && return
    echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2)))))
}
fib 9
long=$(printf 'x%.0s' {1..20000})
long=${long//xx/yz}
echo "${#long} ${long:100:10} $(cat <<<"${long^^}" | cksum)"
