# cython: language_level=3
"""The key of the name hash, drawn once per process; the functions stand in ``_names.pxd``."""

import os

SEED[0] = int.from_bytes(os.urandom(8), "little") | 1
SEED[1] = int.from_bytes(os.urandom(8), "little") | 1
