"""An error code means one thing: it is raised by one module, a few words shared on purpose apart."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import tranship

SHARED = {
    "TS103": "not JSON: the changes file has a reader of its own",
    "TS104": "a key twice: the changes file has a reader of its own",
    "TS202": "what the retry knows as passing",
    "TS206": "what the retry knows as passing",
    "TS207": "TLS: making the context and shaking hands",
    "TS212": "could not begin, a run or a rehearsal",
    "TS299": "what the retry knows as passing",
    "TS401": "stopped by an error, a run or a rehearsal",
    "TS412": "another run took over, seen by the lock or by a batch",
}


def test_a_code_belongs_to_one_module() -> None:
    root = Path(tranship.__file__).parent
    homes: dict[str, set[str]] = defaultdict(set)
    for path in sorted(root.rglob("*.py")):
        for code in re.findall(r'"(TS\d{3})"', path.read_text(encoding="utf-8")):
            homes[code].add(str(path.relative_to(root)))
    assert {
        code: sorted(where) for code, where in homes.items() if len(where) > 1 and code not in SHARED
    } == {}


def test_the_first_digit_is_the_exit_status() -> None:
    """TS1 usage and TS2 connection end with 2, TS3 with 3, TS4 with 4; TS9 is what nobody thought of."""
    root = Path(tranship.__file__).parent
    codes = {
        c for path in root.rglob("*.py") for c in re.findall(r'"(TS\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert {c[2] for c in codes} <= set("123459")
