# SPDX-License-Identifier: BSD-2-Clause
# Role: prints a valid C file of about 30 lines a function, the same for the same FUNCTIONS: work for a compiler.
#
#   awk -v FUNCTIONS=1500 -f big-c-file.awk
function random(n) {
    seed = (seed * 16807) % 2147483647 # Park and Miller; exact in doubles
    return int(seed / 256) % n
}

function operand(    k) {
    k = random(6)
    if (k == 0)
        return "a"
    if (k == 1)
        return "b"
    if (k == 2)
        return "r->f" random(8)
    if (k == 3)
        return "t[" random(16) "]"
    if (k == 4)
        return "i"
    return random(1000) + 1
}

function expression(depth,    op) {
    if (depth == 0)
        return operand()
    op = substr("+-*^&|", random(6) + 1, 1)
    return "(" expression(depth - 1) " " op " " expression(depth - 1) ")"
}

function print_function(n,    k) {
    printf "/* Function %d of the made-up program. */\n", n
    printf "long work_%d(struct record *r, long a, long b)\n{\n", n
    print "    long t[16] = {0}, s = 0;"
    printf "    for (long i = 0; i < (a & %d); i++) {\n", random(250) + 5
    for (k = 0; k < 5; k++)
        printf "        t[(i + %d) & 15] += %s;\n", random(16), expression(3)
    printf "        if (%s > %s)\n            r->f%d ^= %s;\n", expression(1), expression(1), random(8), expression(2)
    print "        switch (t[i & 15] & 7) {"
    for (k = 0; k < 5; k++)
        printf "        case %d:\n            s += %s;\n            break;\n", k, expression(2)
    print "        default:"
    printf "            s -= %s;\n        }\n    }\n", expression(2)
    if (n > 0)
        printf "    if (s & %d)\n        s += work_%d(r, s, b - %d);\n", random(64) + 1, random(n), random(9)
    print "    return s + t[b & 15];\n}\n"
}

BEGIN {
    seed = 2026
    print "struct record {\n    long f0, f1, f2, f3, f4, f5, f6, f7;\n};\n"
    for (n = 0; n < FUNCTIONS; n++)
        print_function(n)
}
