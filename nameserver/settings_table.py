"""What the tables of the settings are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Table(BaseModel):
    """A table of the file: immutable, and strict about its keys.

    ``enabled`` of a table has the table's name as its variable: ``NSCTL_RRL``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def listed(value: object) -> object:
    """Return the items of a list that is written as one text, as in a variable."""
    return value.replace(",", " ").split() if isinstance(value, str) else value
