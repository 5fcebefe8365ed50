"""Walks one case the whole way and tells what differs from its expectation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import CliResult, Pair, Servers
from support.cases.case import Case
from support.cases.stage import Commands, ask, fingerprint, has_journal, make_pair, running, write_config


@dataclass
class Seen:
    """What a run showed; a case holds when ``findings`` is empty. ``notes`` are worth reading and fail nothing."""

    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: str = ""

    def check(self, holds: object, finding: str) -> bool:
        """Adds the finding unless it holds."""
        if not holds:
            self.findings.append(finding)
        return bool(holds)


@dataclass(frozen=True)
class RunFiles:
    """The result and the rejects of one ``migrate``."""

    result: dict[str, Any]
    rejects: list[dict[str, Any]]

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Per table: read, migrated, failed."""
        return {
            t["table"]: (t["rows_read"], t["rows_migrated"], t["rows_failed"]) for t in self.result["tables"]
        }

    def told(self) -> list[str]:
        """The rejects as whole lines, sorted."""
        return sorted(json.dumps(reject, sort_keys=True) for reject in self.rejects)

    def keys(self) -> dict[str, list[str]]:
        """Per table the rejected rows by their whole content, sorted."""
        found: dict[str, list[str]] = {}
        for reject in self.rejects:
            found.setdefault(reject["table"], []).append(
                json.dumps([reject["key"], reject["row"]], sort_keys=True)
            )
        return {table: sorted(keys) for table, keys in found.items()}


def run_case(
    case: Case, servers: Servers, folder: Path, *, majors: tuple[int, int] | None = None, update: bool = False
) -> Seen:
    """Loads the case, runs every command on it and compares.

    ``majors`` are the servers' versions (see ``make_pair``); ``update`` rewrites the expectations of a case of our own.

    Raises:
        NotBuilt: no server here has a feature the case needs.
    """
    pair = make_pair(case, servers, majors)
    try:
        seen = _run(case, pair, folder, update=update)
    finally:
        _drop(pair, servers)
    for number, entry in enumerate(_more_bad(case)):
        again = make_pair(case, servers, majors)
        try:
            _refused_resolutions(case, again, folder / f"bad{number}", entry, seen)
        finally:
            _drop(again, servers)
    second = case.outcome.document.get("second_run")
    if second and "connect_new_as" in second:
        again = make_pair(case, servers, majors)
        try:
            _run_as_other(case, again, folder / "second", second, seen)
        finally:
            _drop(again, servers)
    return seen


def _drop(pair: Pair, servers: Servers) -> None:
    for database in (pair.old, pair.new):
        asyncio.run(servers.drop(database))


def _commands(case: Case, pair: Pair, folder: Path, **options: Any) -> Commands:
    folder.mkdir(exist_ok=True)
    return Commands(folder, write_config(case, pair, folder, **options), case.path("resolutions.json"))


def _run(case: Case, pair: Pair, folder: Path, *, update: bool) -> Seen:
    seen, outcome = Seen(), case.outcome
    commands = _commands(case, pair, folder)
    old, new = fingerprint(pair.old), fingerprint(pair.new)
    with running(case.path("hold_temp.sh"), pair.old, pair.old.url, pair.new.url):
        _analysis(case, commands, seen)
        _undecided(case, commands, seen)
        dry = commands.migrate()
        dry_files = _files(folder, "dryrun")
        seen.check(
            dry.status == outcome.status, f"dry run: exit {dry.status}, expected {outcome.status}\n{dry}"
        )
        seen.check(fingerprint(pair.new) == new, "the dry run or an earlier command changed NEW")
        _rehearsal(case, pair, commands, new, seen)
        with running(case.path("writer.sh"), pair.old, pair.old.url, "60"):
            live = commands.migrate("--live")
    seen.outcome = {0: "success", 1: "partial", 3: "refuse"}.get(live.status, f"exit {live.status}")
    seen.check(
        live.status == outcome.status, f"live run: exit {live.status}, expected {outcome.status}\n{live}"
    )
    if outcome.kind == "refuse":
        _refused(case, pair, new, dry, live, seen)
    elif live.status == outcome.status:
        _moved(case, dry_files, _files(folder, "live"), seen)
        _as_rehearsed(case, _files(folder, "rehearse"), _files(folder, "live"), seen)
        _second_run(case, pair, commands, seen)
    if not case.path("writer.sh"):
        seen.check(fingerprint(pair.old) == old, "OLD was changed")
    _expectation(case, pair, case.expectation, seen, update=update)
    return seen


def _analysis(case: Case, commands: Commands, seen: Seen) -> None:
    outcome = case.outcome
    analysis = commands.analyze()
    accepted = (0, 3) if outcome.kind == "refuse" else (0,)
    if (
        not seen.check(analysis.status in accepted, f"analyze: exit {analysis.status}\n{analysis}")
        or analysis.status
    ):
        return
    if not seen.check(commands.has_analysis(), f"analyze wrote no report or no changes\n{analysis}"):
        return
    report = commands.report()
    breaking = [
        json.dumps(c, ensure_ascii=False) for c in commands.changes()["changes"] if c["type"] == "breaking"
    ]  # type: ignore[attr-defined]
    for name in outcome.names("breaking"):
        if not any(all(part in change for part in name.split(".")) for change in breaking):
            seen.notes.append(f"analyze does not call {name} breaking")
    for name in (*outcome.names("must_report"), *outcome.names("new_constraints_to_show")):
        missing = [word for word in name.split() if word.split(".")[-1] not in report]
        seen.check(not missing, f"the report does not name {name}")
    if commands.resolutions is not None and outcome.kind != "refuse":
        validation = commands.validate()
        seen.check(validation.status == 0, f"validate: exit {validation.status}\n{validation}")


def _undecided(case: Case, commands: Commands, seen: Seen) -> None:
    if case.outcome.undecided_refused and commands.resolutions is not None:
        done = commands.migrate("--live", undecided=True)
        seen.check(done.status == 3, f"without resolutions: exit {done.status}, expected 3\n{done}")


def _rehearsal(case: Case, pair: Pair, commands: Commands, new: str, seen: Seen) -> None:
    done = commands.migrate("--rehearse")
    expected = case.outcome.status
    seen.check(done.status == expected, f"rehearsal: exit {done.status}, expected {expected}\n{done}")
    seen.check(fingerprint(pair.new) == new, "the rehearsal changed NEW")
    seen.check(not has_journal(pair.new), "the rehearsal left its journal in NEW")


def _as_rehearsed(case: Case, rehearsed: RunFiles | None, live: RunFiles | None, seen: Seen) -> None:
    """The live run came to what its rehearsal came to, reasons and sequences included."""
    if (
        not seen.check(rehearsed is not None and live is not None, "a result file is missing")
        or rehearsed is None
        or live is None
    ):
        return
    if case.path("writer.sh"):
        return
    seen.check(
        rehearsed.counts() == live.counts(),
        f"the rehearsal came to {rehearsed.counts()}, the live run to {live.counts()}",
    )
    seen.check(
        rehearsed.told() == live.told(),
        "the live run rejected other rows, or for other reasons, than the rehearsal",
    )
    seen.check(
        rehearsed.result["sequences"] == live.result["sequences"],
        "the live run left sequences elsewhere than the rehearsal",
    )


def _files(folder: Path, mode: str) -> RunFiles | None:
    """The newest result of a mode with its rejects."""
    results = sorted(
        (folder / "results").glob(f"case_migration_result_{mode}_*.json"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    if not results:
        return None
    result = json.loads(results[-1].read_text(encoding="utf-8"))
    rejects = sorted(
        (folder / "results").glob(f"case_migration_rejects_{mode}_*.jsonl"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    lines = rejects[-1].read_text(encoding="utf-8").splitlines() if rejects else []
    return RunFiles(result, [json.loads(line) for line in lines])


def _refused(case: Case, pair: Pair, new: str, dry: CliResult, live: CliResult, seen: Seen) -> None:
    said = dry.stdout + dry.stderr + live.stdout + live.stderr
    for words in case.outcome.names("error_contains"):
        seen.check(words in said, f"the refusal does not name {words}\n{live}")
    seen.check(fingerprint(pair.new) == new, "a refused run changed NEW")


def _moved(case: Case, dry: RunFiles | None, live: RunFiles | None, seen: Seen) -> None:
    if (
        not seen.check(dry is not None and live is not None, "a result file is missing")
        or dry is None
        or live is None
    ):
        return
    for table in live.result["tables"]:
        whole = table["rows_migrated"] + table["rows_failed"] + table["rows_left_out"]
        seen.check(
            table["rows_read"] == whole, f"{table['table']}: read {table['rows_read']}, accounted for {whole}"
        )
    if not case.path("writer.sh"):
        seen.check(
            dry.counts() == live.counts(),
            f"the dry run foresaw {dry.counts()}, the live run did {live.counts()}",
        )
        seen.check(dry.keys() == live.keys(), "the dry run foresaw other rejects than the live run made")
    failed = {table: failed for table, (_, _, failed) in live.counts().items() if failed}
    expected = {table: count for table, count in case.outcome.rejected_count.items() if count}
    seen.check(failed == expected, f"rejected {failed}, expected {expected}: {live.rejects[:12]}")
    if case.outcome.rejected:
        for table, rows in case.outcome.rejected.items():
            _rejected(table, rows, [r for r in live.rejects if r["table"] == table], case, seen)


def _rejected(
    table: str, expected: list[dict[str, Any]], rejects: list[dict[str, Any]], case: Case, seen: Seen
) -> None:
    left = list(rejects)
    for row in expected:
        match = next((r for r in left if _is(row, r)), None)
        if not seen.check(match is not None, f"{table}: {row} should be rejected"):
            continue
        assert match is not None
        left.remove(match)
        said = f"{match['reason']} {match['constraint'] or ''} {match['column'] or ''}".lower()
        seen.check(
            str(row.get("why", "")).lower() in said, f"{table}: {row} is rejected for another reason: {match}"
        )
        reasons = case.outcome.reasons
        if reasons and not any(words in said for words in reasons):
            seen.notes.append(f"{table}: the reason says {match['reason']!r}, not {' | '.join(reasons)}")
    seen.check(not left, f"{table}: these should not be rejected: {[r['key'] or r['row'] for r in left]}")


def _is(row: Mapping[str, Any], reject: Mapping[str, Any]) -> bool:
    """Whether a reject is the expected row, its values compared as text."""
    values = {**(reject["row"] or {}), **(reject["key"] or {})}
    return all(
        column in values and str(values[column]) == str(value)
        for column, value in row.items()
        if column != "why"
    )


def _second_run(case: Case, pair: Pair, commands: Commands, seen: Seen) -> None:
    before = fingerprint(pair.new)
    again = commands.migrate("--live")
    expected = case.outcome.status
    seen.check(again.status == expected, f"second run: exit {again.status}, expected {expected}\n{again}")
    seen.check(fingerprint(pair.new) == before, "the second run changed NEW")


def _expectation(case: Case, pair: Pair, name: str, seen: Seen, *, update: bool) -> None:
    answer = ask(pair.new, case.folder / "expect.sql")
    if update and case.own:
        (case.folder / name).write_text(answer, encoding="utf-8", errors="surrogateescape")
    expected = (case.folder / name).read_text(encoding="utf-8", errors="surrogateescape")
    if answer != expected:
        lines = [f"  {sign} {line}" for sign, line in _difference(expected.splitlines(), answer.splitlines())]
        seen.findings.append(f"NEW differs from {name}:\n" + "\n".join(lines[:20]))


def _difference(expected: list[str], answer: list[str]) -> list[tuple[str, str]]:
    """Lines of one side alone: - expected and missing, + seen."""
    return [("-", line[:200]) for line in expected if line not in answer] + [
        ("+", line[:200]) for line in answer if line not in expected
    ]


def _more_bad(case: Case) -> list[dict[str, Any]]:
    path = case.path("more_bad.json")
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def _refused_resolutions(case: Case, pair: Pair, folder: Path, entry: Mapping[str, Any], seen: Seen) -> None:
    """One wrong resolutions file: refused, and NEW as it was."""
    commands = _commands(case, pair, folder)
    wrong = folder / "wrong.json"
    wrong.write_text(json.dumps({"resolutions": entry["resolutions"]}), encoding="utf-8")
    before = fingerprint(pair.new)
    done = commands.migrate("--live", resolutions=wrong)
    seen.check(done.status == 3, f"{entry['why']}: exit {done.status}, expected 3\n{done}")
    seen.check(fingerprint(pair.new) == before, f"{entry['why']}: NEW was changed")


def _run_as_other(case: Case, pair: Pair, folder: Path, second: Mapping[str, Any], seen: Seen) -> None:
    """The case once more from the start, with another account on NEW."""
    commands = _commands(case, pair, folder, new_login=second["connect_new_as"])
    live = commands.migrate("--live")
    status = {"success": 0, "partial": 1, "refuse": 3}[second["outcome"]]
    who = second["connect_new_as"]["user"]
    seen.check(live.status == status, f"as {who}: exit {live.status}, expected {status}\n{live}")
    for words in second.get("error_contains", []):
        seen.check(words in live.stdout + live.stderr, f"as {who}: does not name {words}\n{live}")
    _expectation(case, pair, second["expect"], seen, update=False)
