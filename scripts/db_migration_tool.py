#!/usr/bin/env python3
"""Compares two databases: the classic name of `tranship analyze`.

Old versions of Python read this file, too, to say that they are too old, so it keeps to their syntax.
"""

import importlib.util
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
LIBRARIES = ("asyncpg", "click", "jinja2", "msgspec", "rapidfuzz", "rich")


def main() -> int:
    """Runs the command of this checkout's package, else of the installed one, and returns its exit status; 2:
    it cannot.
    """
    here = os.path.join(ROOT, "src")
    if os.path.isdir(os.path.join(here, "tranship")):
        sys.path.insert(0, here)
    cure = "run `python3 dev.py demo` in %s once, then call this script with %s" % (
        ROOT,
        os.path.join(ROOT, ".venv", "bin", "python"),
    )
    if sys.version_info < (3, 11):
        return _cannot(
            "tranship needs Python 3.11 or newer and this is %s: %s" % (sys.version.split()[0], cure)
        )
    missing = [name for name in (*LIBRARIES, "tranship") if importlib.util.find_spec(name) is None]
    if missing:
        return _cannot("libraries that tranship needs are missing (%s): %s" % (", ".join(missing), cure))
    from tranship.cli import script

    return script("analyze")


def _cannot(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
