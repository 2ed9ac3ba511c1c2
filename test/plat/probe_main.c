/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: runs the probe that is linked into this program. */
int probe_run(void);

int main(void)
{
    return probe_run();
}
