"""The documentation names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
IN_CODE = re.compile(
    r"`((?:axfr|bench|cli|docs|nameserver|registrar|storage|tests|tools|web|zones)/[\w./-]+)`"
)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links_lead_somewhere(page: Path) -> None:
    """Each file that a page names, or links to, is there."""
    text = page.read_text(encoding="utf-8")
    named = [ROOT / path for path in IN_CODE.findall(text)]
    linked = [page.parent / path for path in LINK.findall(text)]
    gone = [str(path) for path in named + linked if not path.exists()]
    assert not gone
