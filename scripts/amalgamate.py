#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Role: makes one slabkit.c and one slabkit.h of the layers base to kmalloc, for kernels that bring their own plat.
#
#   amalgamate.py ROOT OUT
#
# slabkit.h has everything that is declared, bottom to top, with the hit path; it includes plat_sizes.h and
# plat_slot.h, which are the port's. slabkit.c has the rest. Names that are private to several files get their file's
# name in front; macros of a file end with it.
import os
import re
import sys

LAYERS = ["base", "region", "slab", "node", "pcpu", "cache", "kmalloc"]
PUBLIC = ["base/attrs.h", "base/bits.h", "base/atomic.h", "base/check.h", "base/list.h", "base/misuse.h",
          "plat/plat.h", "region/region.h", "region/meta.h", "slab/slab.h", "node/node.h", "pcpu/pcpu.h",
          "pcpu/hit.h", "cache/cache.h", "kmalloc/kmalloc.h"]
PORT = {"plat_sizes.h", "plat_slot.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)".*$', re.M)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
# What begins in the first column, as the tree is formatted.
FUNCTION = re.compile(r"^static [^;={(]*?\b(\w+)\(", re.M)
VARIABLE = re.compile(r"^static [^;={(]*?\b(\w+)(?:\[[^;=]*\])?(?: SK_CACHE_ALIGNED)?(?: =|;)", re.M)
ANONYMOUS = re.compile(r"^static (?:struct|union) \{.*?^\}(?: SK_CACHE_ALIGNED)? (\w+)", re.M | re.S)
TAG = re.compile(r"^(?:struct|union|enum) (\w+) \{", re.M)


class Tree:
    def __init__(self, root):
        self.src = os.path.join(root, "src")
        self.done = set()

    def text(self, name):
        with open(os.path.join(self.src, name)) as f:
            return f.read()

    def exists(self, name):
        return os.path.exists(os.path.join(self.src, name))

    def sources(self):
        for layer in LAYERS:
            if self.exists(layer):
                yield from sorted(f"{layer}/{f}" for f in os.listdir(os.path.join(self.src, layer)) if f.endswith(".c"))

    def expand(self, name, text=None):
        """The file with what it includes, each header once; lists (.def) as often as they are included."""
        def include(m):
            target = m.group(1)
            if target.endswith(".def"):
                return re.sub(r"/\*.*?\*/", "", self.text(target), flags=re.S).strip()
            if target in self.done:
                return ""
            self.done.add(target)
            if target in PORT:
                return m.group(0).strip()
            return self.expand(target)
        body = strip_licence(text if text is not None else self.text(name))
        return f"/* ==== {name} ==== */\n" + INCLUDE.sub(include, body)


def strip_licence(text):
    return text.replace("/* SPDX-License-Identifier: BSD-2-Clause */\n", "", 1)


def private_names(text):
    names = set(FUNCTION.findall(text)) | set(VARIABLE.findall(text)) | set(ANONYMOUS.findall(text))
    return names | set(TAG.findall(text))


def rename(text, name, to):
    """Not as a member of a structure."""
    return re.sub(rf"(?<![\w.])(?<!->){name}\b", to, text)


def sources(tree):
    """(file, text, macros it defines); names that two files have are renamed in both."""
    files = {name: tree.text(name) for name in tree.sources()}
    private = {name: private_names(text) for name, text in files.items()}
    count = {}
    for names in private.values():
        for n in names:
            count[n] = count.get(n, 0) + 1
    for name, text in files.items():
        prefix = os.path.splitext(name)[0].replace("/", "_")
        for n in sorted(private[name]):
            if count[n] > 1:
                text = rename(text, n, f"{prefix}_{n}")
        yield name, text, DEFINE.findall(text)


def head(role):
    return ("/* SPDX-License-Identifier: BSD-2-Clause */\n"
            f"/* Role: {role} Made from slabkit's sources by `make amalgamation`. */\n")


def header(tree):
    parts = [head("slabkit for kernels: what the engine declares, and its hit path."),
             "#ifndef SLABKIT_AMALGAMATED_H\n#define SLABKIT_AMALGAMATED_H\n"]
    for name in PUBLIC:
        if name not in tree.done and tree.exists(name):
            tree.done.add(name)
            parts.append(tree.expand(name))
    return "\n".join(parts + ["#endif\n"])


def source(tree):
    parts = [head("slabkit for kernels: the engine, from base to kmalloc."), '#include "slabkit.h"\n',
             # What were headers are no headers to the compiler any more.
             '#pragma GCC diagnostic ignored "-Wunused-function"\n']
    for name, text, macros in sources(tree):
        parts.append(tree.expand(name, text))
        parts += [f"#undef {m}" for m in macros]
    return "\n".join(parts) + "\n"


def write(path, text):
    with open(path, "w") as f:
        f.write(re.sub(r"\n{3,}", "\n\n", text))


def main():
    root, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    tree = Tree(root)
    write(os.path.join(out, "slabkit.h"), header(tree))
    write(os.path.join(out, "slabkit.c"), source(tree))


main()
