#!/usr/bin/env python3
"""Compares two databases: the classic name of `tranship analyze`. Read by old Pythons too, to say that they are too old."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def main() -> object:
    """Finds the package of this checkout, or the installed one, and runs the command."""
    here = os.path.join(ROOT, "src")
    if os.path.isdir(os.path.join(here, "tranship")):
        sys.path.insert(0, here)
    cure = "run `python3 dev.py demo` in %s once, then call this script with %s" % (ROOT, os.path.join(ROOT, ".venv", "bin", "python"))
    if sys.version_info < (3, 11):
        return "tranship needs Python 3.11 or newer and this is %s: %s" % (sys.version.split()[0], cure)
    try:
        from tranship.cli import script
    except ImportError as error:
        return "a library that tranship needs is missing (%s): %s" % (error.name, cure)
    return script("analyze")


if __name__ == "__main__":
    sys.exit(main())
