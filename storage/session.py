"""The type of what every function of the store takes, for those who may not import its library."""

from __future__ import annotations

from sqlalchemy.orm import Session

__all__ = ["Session"]
