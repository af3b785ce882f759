"""Build of the compiled modules; everything else stands in pyproject.toml.

Each ``*.pyx`` of the packages below becomes an extension module. They are optional: where no C
compiler or no Python headers are found, the install goes on without them and says so, and the
Python versions of the same functions run instead.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

PACKAGES = ("nameserver", "zones")
# Answers are given between two system calls, with the caches full of the kernel's code: less code
# is worth more than unrolled loops. Nobody else needs the names of the functions.
FLAGS = {
    "nameserver": ["-O2", "-fno-plt", "-fno-semantic-interposition", "-fvisibility=hidden"],
    "zones": ["-O3"],
}
COMPILE = os.environ.get("NSCTL_COMPILE", "1") != "0"


def missing() -> str:
    """Return what the machine lacks for compiling, empty where it lacks nothing."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if not shutil.which(compiler):
        return "a C compiler (on Debian: apt-get install gcc)"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "the Python headers (on Debian: apt-get install python3-dev)"
    return ""


def extensions() -> list[Extension]:
    """Return the extension modules to build; none where the machine cannot."""
    sources = sorted(path for package in PACKAGES for path in Path(package).glob("*.pyx"))
    if not sources or not COMPILE:
        return []
    if lack := missing():
        print(f"nsctl: the compiled modules are left out, for want of {lack}")
        return []
    from Cython.Build import cythonize  # noqa: PLC0415  # only a build that compiles has Cython

    modules = [
        Extension(
            ".".join(path.with_suffix("").parts),
            [str(path)],
            optional=True,
            extra_compile_args=FLAGS[path.parent.name],
        )
        for path in sources
    ]
    built: list[Extension] = cythonize(
        modules,
        build_dir="build/cython",
        compiler_directives={"language_level": 3},
    )
    for module in built:
        module.optional = True
    return built


setup(ext_modules=extensions())
