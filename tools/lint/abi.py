#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write the golden file of uapi: what a program that is compiled already depends on.

It has each struct's size, each member's offset and each constant's value. Lint
compares it with the headers, and what includes it checks it for every architecture.
Who changes it raises AXVCPU_ABI_VERSION, and AXVCPU_ABI_OLDEST if it is more than an
addition.
"""

import re
import tempfile

from problem import ROOT, Problem, run

LIBRARY_MAP = "tools/lib/libaxvcpu.map"
GOLDEN = ROOT / "selftests/lib/uapi_layout.h"
HEADERS = ("uapi/asm-arm64/axvcpu.h", "uapi/asm-x86/axvcpu.h", "uapi/linux/axvcpu.h")

HEAD = """/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The golden file of uapi, written by tools/lint/abi.py: no member moves, no
 * constant changes, and 32-bit programs have the same. Includers define
 * SIZE(struct, bytes), AT(struct, member, offset) and CONST(expression, value).
 */
"""


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def members(tokens, prefix=""):
    """The names of a struct's members, from behind its brace to the one that closes it."""
    while (token := next(tokens)) != "}":
        if token in ("struct", "union"):
            token = next(tokens)
            if token != "{" and (token := next(tokens)) != "{":
                name = token                        # a struct with a name, its member's
            else:
                inner = list(members(tokens))
                name = next(tokens)
                if name == ";":
                    yield from (prefix + member for member in inner)
                    continue
                yield prefix + name
                yield from (f"{prefix}{name}.{member}" for member in inner)
                while next(tokens) != ";":
                    pass
                continue
        else:
            name = next(tokens)
        if not name.startswith("reserved"):
            yield prefix + name
        while next(tokens) != ";":
            pass


def structs(text):
    for match in re.finditer(r"^struct (\w+) \{", text, re.M):
        tokens = iter(re.findall(r"\w+|[{};]", re.sub(r"\[.*?\]", "", text[match.end():])))
        yield match[1], list(members(tokens))


def constants(text):
    """Expressions: enumerators, and macros, with 1 for each argument."""
    for body in re.findall(r"^enum \w+ \{(.*?)\}", text, re.M | re.S):
        yield from re.findall(r"\bAXVCPU_\w+(?=\s*=)", body)
    for name, arguments, body in re.findall(r"^#define (AXVCPU_\w+)(\(.*?\))?(.*)", text, re.M):
        if body:
            yield name + re.sub(r"\w+", "1", arguments)


def program():
    """C that prints the golden file's rows."""
    yield "#include <stddef.h>\n#include <stdio.h>\n#include <linux/axvcpu.h>\nint main(void)\n{"
    for header in HEADERS:
        text = without_comments((ROOT / header).read_text())
        for name, names in structs(text):
            yield f'printf("SIZE({name}, %zu);\\n", sizeof(struct {name}));'
            for member in names:
                yield (f'printf("AT({name}, {member}, %zu);\\n", '
                       f"offsetof(struct {name}, {member}));")
        for name in constants(text):
            yield f'printf("CONST({name}, %#llxULL);\\n", (unsigned long long)({name}));'
    yield "return 0;\n}"


def golden():
    """What the file should hold, or what the compiler says."""
    with tempfile.TemporaryDirectory() as scratch:
        source, binary = f"{scratch}/abi.c", f"{scratch}/abi"
        with open(source, "w", encoding="ascii") as out:
            out.write("\n".join(program()))
        status, said = run("gcc", "-I", ROOT / "uapi", "-o", binary, source)
        return (1, said) if status else run(binary)


def library():
    """What differs between the library's header and what its linker map exports."""
    header = without_comments((ROOT / "tools/lib/include/libaxvcpu.h").read_text())
    inline = set(re.findall(r"static inline[^;{]*?\b(axvcpu_\w+)\(", header))
    declared = set(re.findall(r"\b(axvcpu_\w+)\(", header)) - inline
    exported = set(re.findall(r"^\t(axvcpu_\w+);$", (ROOT / LIBRARY_MAP).read_text(), re.M))
    return sorted(declared ^ exported)


def abi():
    for name in library():
        yield Problem(LIBRARY_MAP, 0, f"{name} is here or in libaxvcpu.h, not in both")
    status, rows = golden()
    if status:
        yield Problem("tools/lint/abi.py", 0, rows)
    elif HEAD + rows != GOLDEN.read_text():
        yield Problem(str(GOLDEN.relative_to(ROOT)), 0,
                      "differs from uapi: run tools/lint/abi.py, look at the difference, and "
                      "raise AXVCPU_ABI_VERSION, if this is not a new one already")


if __name__ == "__main__":
    failed, text = golden()
    if failed:
        raise SystemExit(text)
    GOLDEN.write_text(HEAD + text)
