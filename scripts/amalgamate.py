#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Role: makes one slabkit.c and one slabkit.h of the layers base to kmalloc and of the kernel port.
#
#   amalgamate.py ROOT OUT
#
# slabkit.h has everything that is declared, bottom to top, with the hit path. slabkit.c has the rest. Names that are
# private to several files get their file's name in front; macros of a file end with it. With SLABKIT_OWN_PLAT defined
# the port is left out: then the including kernel has plat_sizes.h, plat_slot.h, errno.h and the functions of plat.h.
import os
import re
import sys

LAYERS = ["base", "region", "slab", "node", "pcpu", "cache", "kmalloc"]
COMMON = "plat/portable/common.c"
PORT_FOLDER = "plat/kern64"
PUBLIC = ["base/attrs.h", "base/bits.h", "base/atomic.h", "base/check.h", "base/list.h", "base/misuse.h",
          "plat/plat.h", "region/region.h", "region/meta.h", "slab/slab.h", "node/node.h", "pcpu/pcpu.h",
          "pcpu/hit.h", "cache/cache.h", "kmalloc/kmalloc.h"]
# What another port has of its own, by these names.
PORT = {"plat_sizes.h", "plat_slot.h", "errno.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">].*$', re.M)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
# What begins in the first column, as the tree is formatted.
FUNCTION = re.compile(r"^static [^;={(]*?\b(\w+)\(", re.M)
VARIABLE = re.compile(r"^static [^;={(]*?\b(\w+)(?:\[[^;=]*\])?(?: SK_CACHE_ALIGNED)?(?: =|;)", re.M)
ANONYMOUS = re.compile(r"^static (?:struct|union) \{.*?^\}(?: SK_CACHE_ALIGNED)? (\w+)", re.M | re.S)
TAG = re.compile(r"^(?:struct|union|enum) (\w+) \{", re.M)


class Tree:
    def __init__(self, root):
        self.src = os.path.join(root, "src")
        self.include = os.path.join(root, "include")
        self.done = set()

    def text(self, name):
        with open(os.path.join(self.include if name.startswith("slabkit/") else self.src, name)) as f:
            return f.read()

    def exists(self, name):
        return os.path.exists(os.path.join(self.src, name))

    def files(self, folder):
        if self.exists(folder):
            yield from sorted(f"{folder}/{f}" for f in os.listdir(os.path.join(self.src, folder)) if f.endswith(".c"))

    def engine(self):
        yield COMMON
        for layer in LAYERS:
            yield from self.files(layer)

    def port(self):
        yield from self.files(PORT_FOLDER)

    def found(self, target):
        """The files that an include may mean, by machine; None: any machine."""
        if target.startswith("slabkit/") or self.exists(target):
            return {None: target}
        for folder in (PORT_FOLDER, f"{PORT_FOLDER}/sections"):
            if self.exists(f"{folder}/{target}"):
                return {None: f"{folder}/{target}"}
        return {m: f"{PORT_FOLDER}/{m}/{target}" for m in sorted(os.listdir(os.path.join(self.src, PORT_FOLDER)))
                if self.exists(f"{PORT_FOLDER}/{m}/{target}")}

    def header(self, target):
        """What stands in the place of an include."""
        found = self.found(target)
        if not found:
            return f"#include <{target}>"
        if set(found.values()) <= self.done:
            return ""
        self.done.update(found.values())
        if None in found:
            return self.expand(found[None])
        parts = [f"#if defined(__{m}__)\n{self.expand(f)}\n#endif" for m, f in found.items()]
        return "\n".join(parts)

    def expand(self, name, text=None):
        """The file with what it includes, each header once; lists (.def) as often as they are included."""
        def include(m):
            target = m.group(1)
            if target.endswith(".def"):
                return re.sub(r"/\*.*?\*/", "", self.text(target), flags=re.S).strip()
            if target not in PORT:
                return self.header(target)
            text = self.header(target)
            return f"#ifdef SLABKIT_OWN_PLAT\n#include \"{target}\"\n#else\n{text}\n#endif" if text else ""
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
    files = {name: tree.text(name) for name in [*tree.port(), *tree.engine()]}
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
    parts = [head("slabkit for kernels: the port, and the engine from base to kmalloc."), '#include "slabkit.h"\n',
             # What were headers are no headers to the compiler any more.
             '#pragma GCC diagnostic ignored "-Wunused-function"\n']
    port = set(tree.port())
    for name, text, macros in sources(tree):
        if name in port:
            parts.append("#ifndef SLABKIT_OWN_PLAT")
        parts.append(tree.expand(name, text))
        parts += [f"#undef {m}" for m in macros]
        if name in port:
            parts.append("#endif")
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
