"""The commands of one run in a folder of their own, and the files that they leave there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import CliResult, run_here, run_python

PREFIX = "case"


@dataclass(frozen=True)
class RunFiles:
    """The result and the rejects of one ``migrate``."""

    result: dict[str, Any]
    rejects: list[dict[str, Any]]

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Returns per flow the rows read, migrated and failed."""
        return {
            called(t): (t["rows_read"], t["rows_migrated"], t["rows_failed"]) for t in self.result["tables"]
        }

    def failed(self) -> dict[str, int]:
        """Returns the number of rejected rows per flow that has some."""
        return {table: failed for table, (_, _, failed) in self.counts().items() if failed}

    def lines(self) -> list[str]:
        """Returns the rejects as whole lines, sorted."""
        return sorted(json.dumps(reject, sort_keys=True) for reject in self.rejects)

    def keys(self) -> dict[str, list[str]]:
        """Returns per flow the rejected rows by their whole content, sorted."""
        found: dict[str, list[str]] = {}
        for reject in self.rejects:
            row = json.dumps([reject["key"], reject.get("item"), reject["row"]], sort_keys=True)
            found.setdefault(called(reject), []).append(row)
        return {table: sorted(keys) for table, keys in found.items()}


def called(entry: Mapping[str, Any]) -> str:
    """Returns the flow's name in an entry of the result or the rejects, else that of the old table."""
    return str(entry.get("flow") or entry["table"])


@dataclass
class Commands:
    """Runs tranship in ``folder``; ``config`` and ``resolutions`` are what the case has said so far."""

    folder: Path
    config: Path
    resolutions: Path | None = None
    options: tuple[str, ...] = field(default=())

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.folder / "results"

    @property
    def changes_file(self) -> Path:
        """What ``analyze`` writes for the next commands."""
        return self.results / f"{PREFIX}_migration_changes.json"

    def analyze(self) -> CliResult:
        """Runs ``analyze``."""
        return self._tranship("analyze", str(self.config), "--prefix", PREFIX)

    def generate(self) -> CliResult:
        """Runs ``resolve generate`` on what ``analyze`` wrote."""
        return self._tranship(
            "resolve", "generate", f"results/{PREFIX}_migration_changes.json", "--prefix", PREFIX
        )

    def validate(self) -> CliResult:
        """Runs ``resolve validate`` on the case's resolutions."""
        changes = f"results/{PREFIX}_migration_changes.json"
        return self._tranship("resolve", "validate", str(self.resolutions), changes)

    def migrate(self, *options: str, undecided: bool = False, resolutions: Path | None = None) -> CliResult:
        """Runs ``migrate``: with the case's resolutions, with others, or without."""
        decided = None if undecided else resolutions or self.resolutions
        given = ["--resolutions", str(decided)] if decided else []
        return self._tranship(
            "migrate", str(self.config), "--prefix", PREFIX, *given, *self.options, *options
        )

    def verify(self, *options: str) -> CliResult:
        """Runs ``verify``."""
        return self._tranship("verify", str(self.config), "--prefix", PREFIX, *options)

    def run(self, words: list[str], env: Mapping[str, str]) -> CliResult:
        """Runs a line of a ``console`` block, in a process of its own where it is to be killed."""
        program, *arguments = words
        assert program == "tranship", f"cannot run {program}"
        if env:
            return run_python("-m", "tranship", *arguments, cwd=self.folder, env=env)
        return self._tranship(*arguments)

    def has_analysis(self) -> bool:
        """Whether ``analyze`` wrote its two files."""
        names = ("report.txt", "changes.json")
        return all((self.results / f"{PREFIX}_migration_{name}").is_file() for name in names)

    def changes(self) -> list[dict[str, Any]]:
        """Returns the changes that ``analyze`` found."""
        return list(self._json("migration_changes")["changes"])

    def questions(self) -> dict[str, list[dict[str, Any]]]:
        """Returns the entries per table that ``resolve generate`` wrote; none where nothing is open."""
        if not (self.results / f"{PREFIX}_manual_resolutions.json").is_file():
            return {}
        return dict(self._json("manual_resolutions")["resolutions"])

    def report(self) -> str:
        """Returns the text of the report."""
        return (self.results / f"{PREFIX}_migration_report.txt").read_text(encoding="utf-8")

    def files(self, mode: str) -> RunFiles | None:
        """Returns the newest result of a mode (``dryrun``, ``rehearse``, ``live``) with its rejects."""
        result = self._newest(f"{PREFIX}_migration_result_{mode}_*.json")
        if result is None:
            return None
        rejects = self._newest(f"{PREFIX}_migration_rejects_{mode}_*.jsonl")
        lines = rejects.read_text(encoding="utf-8").splitlines() if rejects else []
        return RunFiles(json.loads(result.read_text(encoding="utf-8")), [json.loads(line) for line in lines])

    def _newest(self, pattern: str) -> Path | None:
        found = sorted(self.results.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
        return found[-1] if found else None

    def _json(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            (self.results / f"{PREFIX}_{name}.json").read_text(encoding="utf-8")
        )
        return document

    def _tranship(self, *arguments: str) -> CliResult:
        return run_here(*arguments, cwd=self.folder)
