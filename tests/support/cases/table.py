"""``python3 dev.py cases [NAMES] [OLD:NEW] [--update] [-v]``: every case (or those whose name holds a NAME),
expected and seen, as a table.

``15:18`` chooses the servers' versions; without, those that the case names are taken, or 17 and 18,
or what it needs. ``--update`` rewrites the expectations of the project's own cases: look at the difference
before committing it.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from support import Servers
from support.cases.case import Case
from support.cases.findings import Seen
from support.cases.folder import shared_cases
from support.cases.page import own_cases, read_page
from support.cases.stage import NotBuilt
from support.cases.walk import run_case


def _line(case: Case, seen: Seen, seconds: float, *, whole: bool) -> str:
    verdict = "ok" if not seen.findings else f"{len(seen.findings)} findings"
    lines = [f"{case.name:40} {case.kind:8} {seen.outcome:8} {seconds:5.1f} s  {verdict}"]
    for finding in seen.findings:
        shown = finding.splitlines() if whole else [finding.splitlines()[0][:200]]
        lines += [f"    {line}" for line in shown]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Prints the table; 1 when a case does not hold."""
    options = {a for a in arguments if a.startswith("-")}
    versions = [a for a in arguments if re.fullmatch(r"\d+:\d+", a)]
    majors = (int(versions[0].split(":")[0]), int(versions[0].split(":")[1])) if versions else None
    names = [a for a in arguments if not a.startswith("-") and a not in versions]
    # Not the path: the folder of a checkout may hold the same word.
    cases = [c for c in (*own_cases(), *shared_cases()) if not names or any(name in c.name for name in names)]
    unknown = sorted(options - {"--update", "-v"})
    if unknown or not cases:
        print(
            f"unknown option {unknown[0]}" if unknown else f"no case is named {' or '.join(names)}",
            file=sys.stderr,
        )
        return 2
    update = "--update" in options
    held, runs = (
        0,
        [(case, pair) for case in cases for pair in ([majors] if majors else case.databases.pairs or [None])],
    )
    print(f"{'case':40} {'expected':8} {'seen':8}")
    with Servers() as servers, tempfile.TemporaryDirectory() as folder:
        for number, (case, pair) in enumerate(runs):
            started = time.monotonic()
            place = Path(folder) / str(number)
            place.mkdir()
            if update and case.own:
                case = read_page(case.path)
            try:
                seen = run_case(case, servers, place, majors=pair, update=update)
            except NotBuilt as missing:
                print(f"{case.name:40} skipped: {missing}", flush=True)
                continue
            held += not seen.findings
            print(_line(case, seen, time.monotonic() - started, whole="-v" in options), flush=True)
    print(f"{held} of {len(runs)} cases hold")
    return 0 if held == len(runs) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
