"""Where the templates of notices are: those that are shipped, and a directory of the operator's."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from registrar import notice_text
from registrar.errors import PolicyError
from registrar.notice_text import LANGUAGES, Texts


@cache
def shipped() -> dict[str, Texts]:
    """Return the shipped templates by language."""
    directory = resources.files("registrar") / "notice_texts"
    return {
        language: notice_text.read(
            (directory / f"{language}.toml").read_text(encoding="utf-8"), f"{language}.toml"
        )
        for language in LANGUAGES
    }


def load(directory: Path | None = None) -> dict[str, Texts]:
    """Return the templates by language, those of a directory laid over the shipped ones.

    Raises ``PolicyError`` with every fault.
    """
    found: dict[str, Texts] = dict(shipped())
    faults: list[str] = []
    for path in sorted(directory.glob("*.toml")) if directory else ():
        try:
            text = path.read_text(encoding="utf-8")
            found[path.stem] = notice_text.read(text, str(path), found.get(path.stem))
        except PolicyError as error:
            faults += error.reasons
        except (OSError, UnicodeError) as error:
            faults.append(f"{path}: {error}")
    if faults:
        raise PolicyError(faults)
    return found
