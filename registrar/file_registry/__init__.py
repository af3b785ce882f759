"""A registry of our own in a file: for rehearsals and tests, driven by the clock it is given."""

from registrar.file_registry.connector import FileRegistry
from registrar.file_registry.registry import Registry

__all__ = ["FileRegistry", "Registry"]
