"""Which tests show which requirement, read from their marks.

``python -m tests.requirement_table`` writes docs/requirements.md.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

# Requirements in a few words, with where the service descriptions have them.
REQUIREMENTS: Final = {
    "DNS-1": ("answers over UDP and TCP, the editable types, every type by transfer", "N 2.2.7"),
    "DNS-2": ("hosted, primary, hidden primary, external", "N 2.2.7"),
    "DNS-3": ("several nodes serve the same zones", "N 2.2.7"),
    "DNS-4": ("updates by NOTIFY and by the SOA timers", "N 2.2.7"),
    "DNS-5": ("faulty zones are refused, the last version stays", "N 2.2.7"),
    "DNS-6": ("EXPIRE of the last working version ends the answers", "N 2.2.7"),
    "DNS-7": ("the customer sees whether a transfer worked", "N 2.2.7"),
    "DNS-8": ("record types and modes by product", "N 2.2.7, 7"),
    "DNS-9": ("MX by mail boxes, own server, relays, spam filter", "N 2.2.9, 2.3, 2.4; H 20b(4)"),
    "DNS-10": ("no influence on records of own name servers", "N 2.2.9"),
    "DNS-11": ("http redirect and server alias", "N 7"),
    "REG-1": ("register, transfer in and manage below many TLDs", "N 2.2.1; H 17(2)(6)"),
    "REG-2": ("orders go to the registry within 7 working days", "N 2.2.2"),
    "REG-3": ("a refused registration costs nothing, the reason is kept", "N 2.2.2; H 17(3)(4)"),
    "REG-4": ("the term starts with the registration", "H 17(3), 19(1)"),
    "REG-5": ("the domain stays registered through the term", "H 17(4)"),
    "REG-6": ("Admin-C is a natural person; contact changes within 7 days", "N 2.2.3; H 4; I 3, 5"),
    "REG-7": ("self-service; proof within 7 days", "N 2.2.5"),
    "REG-8": ("manual orders may be declined, and are marked", "N 2.2.6"),
    "REG-9": ("transfer or deletion if the status allows", "N 2.2.4, 4.1"),
    "REG-10": ("terms and notice", "N 4.1; H 6(1), 19(1)(2)"),
    "REG-11": ("form and documents of a cancellation", "N 4.1; H 19(3)"),
    "REG-12": ("when a cancelled domain goes back", "H 19(4); N 4.1"),
    "REG-13": ("lien, within the registries' rules", "H 8(3)"),
    "REG-14": ("extraordinary termination", "H 6(2), 20"),
    "REG-15": ("facts of billing", "N 3.1; H 5a, 18"),
    "REG-16": ("erasure after the end", "N 6, 2.6.8"),
    "REG-17": ("Whois and RDAP; the customer is told before a claimant", "N 2.2.3; H 9(2)"),
}

HEADING: Final = """\
# Requirements

What the service descriptions N, H and I ask for, and the tests that name it. Name service (DNS-1
to DNS-7) is told by RFC in [conformance.md](conformance.md); what no test names is left out here.

This page is written by `python -m tests.requirement_table`.

| id | requirement | source | tests |
|---|---|---|---|
"""


def marked(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the tests, as ``file::function``, by the requirements that they name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _requirements(node):
                    found[name].append(f"{path.relative_to(root)}::{node.name}")
    return found


def markdown() -> str:
    """Return the whole page; raises ``KeyError`` for a mark that names no requirement."""
    tests = marked()
    if unknown := sorted(tests.keys() - REQUIREMENTS.keys()):
        raise KeyError(f"no such requirements: {', '.join(unknown)}")
    rows = [
        f"| {name} | {words} | {source} | {_list(tests[name])} |"
        for name, (words, source) in REQUIREMENTS.items()
        if name in tests
    ]
    return HEADING + "\n".join(rows) + "\n"


def _requirements(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [
        argument.value
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def _list(tests: list[str]) -> str:
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        path, _, function = test.partition("::")
        by_file[path].append(function.removeprefix("test_").replace("_", " "))
    return "<br>".join(f"`{path}`: {'; '.join(names)}" for path, names in by_file.items())


if __name__ == "__main__":
    sys.stdout.write(markdown())
