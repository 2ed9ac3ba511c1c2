#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Role: draws the counts of kernel-bench.sh as SVG: interrupts per 1000 remote frees, and cycles per free, against
#       the number of CPUs; logarithmic, the old way dashed, several nodes dotted.
#
#   kernel-bench-plot.py FILE
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 300, 70, 40, 90
COLOURS = {"pipeline": "#1b6ca8", "all-to-all": "#b5442d", "burst": "#3d8b40", "burst-large": "#7a52a1",
           "larson": "#a8801b"}


def read(path):
    """{(pattern, cpus, nodes): {field: number}}, both lines of a pattern together."""
    runs = {}
    for line in open(path):
        if not line.startswith(("pattern=", "detail=")):
            continue
        fields = dict(word.split("=", 1) for word in line.split())
        key = (fields.pop("pattern", None) or fields.pop("detail"), int(fields["cpus"]),
               int(fields["nodes"]))
        runs.setdefault(key, {}).update({k: float(v) for k, v in fields.items() if v != "none"})
    return runs


def decades(values):
    """The decades that hold all values; 0 is drawn at the bottom."""
    positive = [v for v in values if v > 0]
    return math.floor(math.log10(min(positive))) - 1, math.ceil(math.log10(max(positive)) + 0.01)


class Chart:
    def __init__(self, x0, title, cpus, values):
        self.x0, self.cpus = x0, cpus
        self.low, self.high = decades(values)
        self.parts = [f'<text x="{x0}" y="{TOP - 16}" font-weight="bold">{title}</text>']
        self.axes()

    def x(self, cpus):
        span = max(math.log2(self.cpus[-1] / self.cpus[0]), 1)
        return self.x0 + WIDTH * math.log2(cpus / self.cpus[0]) / span

    def y(self, value):
        at = self.low if value <= 0 else math.log10(value)
        return TOP + HEIGHT * (self.high - at) / (self.high - self.low)

    def axes(self):
        for d in range(self.low, self.high + 1):
            y = self.y(10.0 ** d)
            label = "0" if d == self.low else f"{10.0 ** d:g}"
            self.parts.append(f'<path d="M{self.x0} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
                              f'<text x="{self.x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
        for n in self.cpus:
            self.parts.append(f'<text x="{self.x(n):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{n}</text>')
        self.parts.append(f'<text x="{self.x0 + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">CPUs</text>')

    def line(self, points, colour, dash):
        path = "M" + "L".join(f"{self.x(n):.1f} {self.y(v):.1f}" for n, v in points)
        self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        self.parts += [f'<circle cx="{self.x(n):.1f}" cy="{self.y(v):.1f}" r="3" fill="{colour}"/>' for n, v in points]


def chart(x0, title, runs, old, new):
    patterns = list(dict.fromkeys(p for p, _, _ in runs))
    cpus = sorted({n for _, n, _ in runs})
    nodes = sorted({m for _, _, m in runs})
    c = Chart(x0, title, cpus, [f(r) for r in runs.values() for f in (old, new)])
    for p in patterns:
        lines = [(old, nodes[0], "6 4")] + [(new, m, "none" if m == nodes[0] else "2 3") for m in nodes]
        for f, m, dash in lines:
            c.line([(n, f(runs[p, n, m])) for n in cpus if (p, n, m) in runs], COLOURS.get(p, "#555"), dash)
    return c.parts


def legend(x0, patterns):
    y = TOP + HEIGHT + 60
    for i, p in enumerate(patterns):
        yield (f'<rect x="{x0 + i * 120}" y="{y - 9}" width="12" height="12" fill="{COLOURS.get(p, "#555")}"/>'
               f'<text x="{x0 + i * 120 + 18}" y="{y + 1}">{p}</text>')
    yield f'<text x="{x0 + len(patterns) * 120}" y="{y + 1}">dashed: a message for each object; dotted: 2 nodes</text>'


def main():
    runs = read(sys.argv[1])
    parts = chart(LEFT, "interrupts between CPUs, for 1000 objects freed by another CPU", runs,
                  lambda r: 1000 * r["ipis_old"] / r["frees_remote"], lambda r: 1000 * r["ipis_new"] / r["frees_remote"])
    parts += chart(LEFT + WIDTH + GAP, "cycles for each free (emulated: for comparison only)", runs,
                   lambda r: r["cycles_per_free_old"], lambda r: r["cycles_per_free_new"])
    parts += legend(LEFT, dict.fromkeys(p for p, _, _ in runs))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH + LEFT + GAP + 30}" height="{TOP + HEIGHT + 80}" '
          'font-family="sans-serif" font-size="12">')
    print('<rect width="100%" height="100%" fill="white"/>')
    print("\n".join(parts))
    print("</svg>")


main()
