# SPDX-License-Identifier: BSD-2-Clause
# Role: the names of a list of exports, for the checks; sourced. NAME_{0..15} is a name for each number.

# names_of LIST
names_of() {
    grep -v '^#' "$1" | awk 'NF && !match($0, /\{[0-9]+\.\.[0-9]+\}/) { print; next }
        NF {
            split(substr($0, RSTART + 1, RLENGTH - 2), range, /\.\./)
            for (i = range[1]; i <= range[2]; i++)
                print substr($0, 1, RSTART - 1) i substr($0, RSTART + RLENGTH)
        }'
}
